package otdr

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Write encodes a file: the map, the blocks in their order, and a checksum over the
// bytes as they are, by the variant that was read, else from 0. A file without Blocks
// gets those that its version knows. A text with a zero byte, or a fixed text of another
// length, is an error that names the block and field.
func Write(f *File) ([]byte, error) {
	blocks := f.Blocks
	if len(blocks) == 0 {
		for _, name := range []string{blockGen, blockSup, blockFxd, blockKey, blockLnk, blockData, blockSum} {
			if name != blockLnk || len(f.Links) > 0 {
				blocks = append(blocks, Block{Name: name, Version: f.Version})
			}
		}
	}
	bodies := make([]encoder, len(blocks))
	size := 8
	if f.Second() {
		size += len(blockMap) + 1
	}
	for i, b := range blocks {
		if err := f.writeBlock(&bodies[i], b); err != nil {
			return nil, fmt.Errorf("write %s: %w", b.Name, err)
		}
		size += len(b.Name) + 1 + 6
	}
	var out encoder
	if f.Second() {
		out.text("name", blockMap)
	}
	out.u16(f.Version)
	out.u32(uint32(size))
	out.u16(uint16(len(blocks) + 1))
	for i, b := range blocks {
		out.text("name", b.Name)
		out.u16(b.Version)
		out.u32(uint32(len(bodies[i].b)))
	}
	if out.err != nil {
		return nil, fmt.Errorf("write map: %w", out.err)
	}
	for i, b := range blocks {
		out.b = append(out.b, bodies[i].b...)
		if b.Name == blockSum && b.Body == nil {
			start := uint16(0)
			if f.Sum.Variant == "CCITT from FFFF" {
				start = 0xFFFF
			}
			n := len(out.b) - 2 - len(b.Tail)
			binary.LittleEndian.PutUint16(out.b[n:], crc16(out.b[:n], start))
		}
	}
	return out.b, nil
}

func (f *File) writeBlock(w *encoder, b Block) error {
	if b.Body != nil {
		w.b = b.Body
		return nil
	}
	if f.Second() {
		w.text("name", b.Name)
	}
	switch b.Name {
	case blockGen:
		f.writeGeneral(w)
	case blockSup:
		for i, s := range f.Supply.fields() {
			w.text(fmt.Sprintf("text %d", i+1), *s)
		}
	case blockFxd:
		f.writeFixed(w)
	case blockKey:
		f.writeEvents(w)
	case blockLnk:
		f.writeLinks(w)
	case blockData:
		f.writeData(w)
	case blockSum:
		w.u16(0)
	}
	w.b = append(w.b, b.Tail...)
	return w.err
}

func (f *File) writeGeneral(w *encoder) {
	g := f.General
	w.fixed("Language", g.Language, 2)
	w.text("CableID", g.CableID)
	w.text("FibreID", g.FibreID)
	if f.Second() {
		w.u16(g.FibreType)
	}
	w.u16(g.WavelengthNM)
	w.text("LocationA", g.LocationA)
	w.text("LocationB", g.LocationB)
	w.text("CableCode", g.CableCode)
	w.fixed("BuildCondition", g.BuildCondition, 2)
	w.u32(uint32(g.UserOffset))
	if f.Second() {
		w.u32(uint32(g.UserDistance))
	}
	w.text("Operator", g.Operator)
	w.text("Comment", g.Comment)
}

func (f *File) writeFixed(w *encoder) {
	x := f.Fixed
	w.u32(x.Time)
	w.fixed("Units", x.Units, 2)
	w.u16(x.Wavelength)
	w.u32(uint32(x.AcquisitionOffset))
	if f.Second() {
		w.u32(uint32(x.AcquisitionMetres))
	}
	w.u16(uint16(len(x.Pulses)))
	for _, p := range x.Pulses {
		w.u16(p.WidthNS)
	}
	for _, p := range x.Pulses {
		w.u32(p.Spacing)
	}
	for _, p := range x.Pulses {
		w.u32(p.Points)
	}
	w.u32(x.Index)
	w.u16(x.Backscatter)
	w.u32(x.Averages)
	if f.Second() {
		w.u16(x.AveragingTime)
	}
	w.u32(x.Range)
	if f.Second() {
		w.u32(uint32(x.RangeMetres))
	}
	w.u32(uint32(x.PanelOffset))
	for _, v := range []uint16{x.NoiseFloor, uint16(x.NoiseScale), x.PowerOffset, x.LossThreshold, x.ReflectThreshold, x.EndThreshold} {
		w.u16(v)
	}
	if f.Second() {
		w.fixed("TraceType", x.TraceType, 2)
		for _, v := range x.Window {
			w.u32(uint32(v))
		}
	}
}

func (f *File) writeEvents(w *encoder) {
	k := f.Events
	w.u16(uint16(len(k.Events)))
	for i, e := range k.Events {
		w.u16(e.Number)
		w.u32(e.Time)
		w.u16(uint16(e.Slope))
		w.u16(uint16(e.Loss))
		w.u32(uint32(e.Reflectance))
		w.fixed(fmt.Sprintf("event %d: Code", i), e.Code, 8)
		if f.Second() {
			for _, m := range e.Marks {
				w.u32(m)
			}
		}
		w.text(fmt.Sprintf("event %d: Comment", i), e.Comment)
	}
	w.u32(uint32(k.TotalLoss))
	w.u32(uint32(k.LossStart))
	w.u32(k.LossEnd)
	w.u16(k.ReturnLoss)
	w.u32(uint32(k.ReturnStart))
	w.u32(k.ReturnEnd)
}

func (f *File) writeLinks(w *encoder) {
	w.u16(uint16(len(f.Links)))
	for i, l := range f.Links {
		w.u16(l.Number)
		w.fixed(fmt.Sprintf("landmark %d: Code", i), l.Code, 2)
		w.u32(uint32(l.Location))
		w.u16(l.Event)
		w.u32(uint32(l.Longitude))
		w.u32(uint32(l.Latitude))
		w.u16(uint16(l.Correction))
		w.u32(uint32(l.SheathIn))
		w.u32(uint32(l.SheathOut))
		w.fixed(fmt.Sprintf("landmark %d: SheathUnits", i), l.SheathUnits, 2)
		w.u16(l.ModeField)
		w.text(fmt.Sprintf("landmark %d: Comment", i), l.Comment)
	}
}

func (f *File) writeData(w *encoder) {
	total := 0
	for _, s := range f.Data {
		total += len(s.Raw)
	}
	w.b = slices.Grow(w.b, 2*total+64)
	w.u32(cmp.Or(f.Points, uint32(total)))
	w.u16(uint16(len(f.Data)))
	for _, s := range f.Data {
		w.u32(uint32(len(s.Raw)))
		w.u16(s.Scale)
		for _, v := range s.Raw {
			w.u16(v)
		}
	}
}

// encoder appends fields and keeps the first fault.
type encoder struct {
	b   []byte
	err error
}

func (w *encoder) u16(v uint16) { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *encoder) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }

func (w *encoder) text(field, s string) {
	if w.err == nil && strings.IndexByte(s, 0) >= 0 {
		w.err = fmt.Errorf("%s %q: a zero byte ends a text", field, s)
	}
	w.b = append(append(w.b, s...), 0)
}

func (w *encoder) fixed(field, s string, n int) {
	if w.err == nil && len(s) != n {
		w.err = fmt.Errorf("%s %q: want %d characters", field, s, n)
	}
	w.b = append(w.b, s...)
}
