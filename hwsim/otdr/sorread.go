package otdr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Read reads a .sor file of either version. A fault in a block is an error that names
// the block, and the others are read all the same: when the map can be read the File is
// never nil. A checksum that does not hold, or is missing, is reported in File.Sum and as
// a *ChecksumError within the error; a caller that wants such a file finds it with
// errors.As and ignores it, or calls IgnoreChecksum.
func Read(data []byte) (*File, error) {
	f, entries, err := readMap(data)
	if err != nil {
		return nil, err
	}
	var faults []error
	offset := entries[0].size
	seen := map[string]bool{}
	for _, e := range entries[1:] {
		end := offset + e.size
		if end > len(data) {
			faults = append(faults, fmt.Errorf("read %s: %d bytes from offset %d: the file has %d", e.name, e.size, offset, len(data)))
			break
		}
		body := data[offset:end]
		if err := f.readBlock(e, body, data[:end], seen); err != nil {
			faults = append(faults, fmt.Errorf("read %s: %w", e.name, err))
			f.Blocks = append(f.Blocks, Block{Name: e.name, Version: e.version, Body: bytes.Clone(body)})
		}
		offset = end
	}
	for _, name := range []string{blockFxd, blockKey, blockData} {
		if !seen[name] {
			faults = append(faults, fmt.Errorf("read .sor file: no %s block", name))
		}
	}
	if !f.Sum.Good() {
		faults = append(faults, &ChecksumError{f.Sum})
	}
	return f, errors.Join(faults...)
}

// IgnoreChecksum takes checksum faults out of an error of Read.
func IgnoreChecksum(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var rest []error
	for _, e := range joined.Unwrap() {
		if sum := (*ChecksumError)(nil); !errors.As(e, &sum) {
			rest = append(rest, e)
		}
	}
	return errors.Join(rest...)
}

// entry is a line of the map.
type entry struct {
	name    string
	version uint16
	size    int
}

// maxBlocks bounds the map; real files have about a dozen.
const maxBlocks = 256

// readMap reads the map; its own entry comes first.
func readMap(data []byte) (*File, []entry, error) {
	c := &cursor{b: data}
	name := blockMap
	if bytes.HasPrefix(data, []byte("Map\x00")) {
		name = c.text()
	}
	version, size, n := c.u16(), int(c.u32()), int(c.u16())
	if c.err != nil {
		return nil, nil, fmt.Errorf("read map: %w", c.err)
	}
	if n < 1 || n > maxBlocks || size > len(data) || version < 50 || version >= 1000 {
		return nil, nil, fmt.Errorf("read map: version %d, %d bytes, %d blocks: this is no .sor file", version, size, n)
	}
	entries := []entry{{name, version, size}}
	for range n - 1 {
		entries = append(entries, entry{c.text(), c.u16(), int(c.u32())})
	}
	if c.err != nil {
		return nil, nil, fmt.Errorf("read map: block %d: %w", len(entries), c.err)
	}
	if c.at > size {
		return nil, nil, fmt.Errorf("read map: it says %d bytes and has %d", size, c.at)
	}
	return &File{Version: version}, entries, nil
}

// readBlock reads one block; upTo is the file to the end of the block.
func (f *File) readBlock(e entry, body, upTo []byte, seen map[string]bool) error {
	c := &cursor{b: body}
	read := map[string]func(*cursor){blockGen: f.readGeneral, blockSup: f.readSupply, blockFxd: f.readFixed,
		blockKey: f.readEvents, blockLnk: f.readLinks, blockData: f.readData, blockSum: func(c *cursor) { f.readSum(c, upTo[:len(upTo)-len(body)]) }}[e.name]
	if read == nil {
		f.Blocks = append(f.Blocks, Block{Name: e.name, Version: e.version, Body: bytes.Clone(body)})
		return nil
	}
	if seen[e.name] {
		return errors.New("the block is there twice")
	}
	seen[e.name] = true
	if f.Second() {
		if got := c.text(); c.err == nil && got != e.name {
			return fmt.Errorf("the block starts with %q", got)
		}
	}
	read(c)
	if c.err != nil {
		return c.err
	}
	b := Block{Name: e.name, Version: e.version}
	if c.at < len(body) {
		b.Tail = bytes.Clone(body[c.at:])
	}
	f.Blocks = append(f.Blocks, b)
	return nil
}

func (f *File) readGeneral(c *cursor) {
	g := &f.General
	g.Language = c.fixed(2)
	g.CableID, g.FibreID = c.text(), c.text()
	if f.Second() {
		g.FibreType = c.u16()
	}
	g.WavelengthNM = c.u16()
	g.LocationA, g.LocationB, g.CableCode = c.text(), c.text(), c.text()
	g.BuildCondition = c.fixed(2)
	g.UserOffset = c.i32()
	if f.Second() {
		g.UserDistance = c.i32()
	}
	g.Operator, g.Comment = c.text(), c.text()
}

func (f *File) readSupply(c *cursor) {
	s := &f.Supply
	for _, to := range s.fields() {
		*to = c.text()
	}
}

func (s *Supply) fields() []*string {
	return []*string{&s.Supplier, &s.Instrument, &s.Serial, &s.Module, &s.ModuleSerial, &s.Software, &s.Other}
}

func (f *File) readFixed(c *cursor) {
	x := &f.Fixed
	x.Time, x.Units, x.Wavelength, x.AcquisitionOffset = c.u32(), c.fixed(2), c.u16(), c.i32()
	if f.Second() {
		x.AcquisitionMetres = c.i32()
	}
	n := c.count(int(c.u16()), 10)
	x.Pulses = make([]Pulse, n)
	for i := range x.Pulses {
		x.Pulses[i].WidthNS = c.u16()
	}
	for i := range x.Pulses {
		x.Pulses[i].Spacing = c.u32()
	}
	for i := range x.Pulses {
		x.Pulses[i].Points = c.u32()
	}
	x.Index, x.Backscatter, x.Averages = c.u32(), c.u16(), c.u32()
	if f.Second() {
		x.AveragingTime = c.u16()
	}
	x.Range = c.u32()
	if f.Second() {
		x.RangeMetres = c.i32()
	}
	x.PanelOffset, x.NoiseFloor, x.NoiseScale, x.PowerOffset = c.i32(), c.u16(), c.i16(), c.u16()
	x.LossThreshold, x.ReflectThreshold, x.EndThreshold = c.u16(), c.u16(), c.u16()
	if f.Second() {
		x.TraceType = c.fixed(2)
		for i := range x.Window {
			x.Window[i] = c.i32()
		}
	}
}

func (f *File) readEvents(c *cursor) {
	k := &f.Events
	least := 23 // of an event of the first version
	if f.Second() {
		least += 20
	}
	k.Events = make([]KeyEvent, c.count(int(c.u16()), least))
	for i := range k.Events {
		e := &k.Events[i]
		e.Number, e.Time, e.Slope, e.Loss, e.Reflectance, e.Code = c.u16(), c.u32(), c.i16(), c.i16(), c.i32(), c.fixed(8)
		if f.Second() {
			for j := range e.Marks {
				e.Marks[j] = c.u32()
			}
		}
		e.Comment = c.text()
	}
	k.TotalLoss, k.LossStart, k.LossEnd = c.i32(), c.i32(), c.u32()
	k.ReturnLoss, k.ReturnStart, k.ReturnEnd = c.u16(), c.i32(), c.u32()
}

func (f *File) readLinks(c *cursor) {
	f.Links = make([]Landmark, c.count(int(c.u16()), 33))
	for i := range f.Links {
		l := &f.Links[i]
		l.Number, l.Code, l.Location, l.Event = c.u16(), c.fixed(2), c.i32(), c.u16()
		l.Longitude, l.Latitude, l.Correction = c.i32(), c.i32(), c.i16()
		l.SheathIn, l.SheathOut, l.SheathUnits = c.i32(), c.i32(), c.fixed(2)
		l.ModeField, l.Comment = c.u16(), c.text()
	}
}

func (f *File) readData(c *cursor) {
	f.Points = c.u32()
	f.Data = make([]Samples, c.count(int(c.u16()), 6))
	for i := range f.Data {
		n := c.count(int(c.u32()), 2)
		f.Data[i].Scale = c.u16()
		f.Data[i].Raw = make([]uint16, c.count(n, 2))
		for j := range f.Data[i].Raw {
			f.Data[i].Raw[j] = c.u16()
		}
	}
}

func (f *File) readSum(c *cursor, before []byte) {
	name := c.at
	if stored := c.u16(); c.err == nil {
		f.Sum = checksum(before[:len(before)+name], stored)
	}
}

// checksum compares a stored sum with the CRC-16 of CCITT (polynomial 1021h) over
// everything before it. Instruments start it from 0 or from FFFFh.
func checksum(covered []byte, stored uint16) Checksum {
	s := Checksum{Present: true, Stored: stored, Computed: crc16(covered, 0)}
	if s.Computed == stored {
		s.Variant = "CCITT from 0"
	} else if crc16(covered, 0xFFFF) == stored {
		s.Computed, s.Variant = stored, "CCITT from FFFF"
	}
	return s
}

func crc16(b []byte, crc uint16) uint16 {
	for _, x := range b {
		crc ^= uint16(x) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// cursor reads fields of a block; after the first fault it gives zeros.
type cursor struct {
	b   []byte
	at  int
	err error
}

func (c *cursor) take(n int) []byte {
	if c.err == nil && n > len(c.b)-c.at {
		c.err = fmt.Errorf("%d bytes at offset %d: the block ends at %d", n, c.at, len(c.b))
	}
	if c.err != nil {
		return make([]byte, min(n, 8))
	}
	c.at += n
	return c.b[c.at-n : c.at]
}

func (c *cursor) u16() uint16 { return binary.LittleEndian.Uint16(c.take(2)) }
func (c *cursor) u32() uint32 { return binary.LittleEndian.Uint32(c.take(4)) }
func (c *cursor) i16() int16  { return int16(c.u16()) }
func (c *cursor) i32() int32  { return int32(c.u32()) }

func (c *cursor) fixed(n int) string { return string(c.take(n)) }

// text reads to a zero byte, which it leaves out.
func (c *cursor) text() string {
	if c.err != nil {
		return ""
	}
	n := bytes.IndexByte(c.b[c.at:], 0)
	if n < 0 {
		c.err = fmt.Errorf("text at offset %d has no end", c.at)
		return ""
	}
	return string(c.take(n + 1)[:n])
}

// count bounds a number of records by the bytes that are left for them.
func (c *cursor) count(n, size int) int {
	if c.err == nil && n > (len(c.b)-c.at)/size {
		c.err = fmt.Errorf("%d records of at least %d bytes at offset %d: the block ends at %d", n, size, c.at, len(c.b))
	}
	if c.err != nil {
		return 0
	}
	return n
}
