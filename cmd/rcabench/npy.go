package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// matrix is a dense table of numbers, by row.
type matrix struct {
	rows, cols int
	cell       []float64
}

func (m matrix) at(i, j int) float64 { return m.cell[i*m.cols+j] }

// square reports, as an error, a matrix that is not n by n.
func (m matrix) square(n int) error {
	if m.rows != n || m.cols != n {
		return fmt.Errorf("matrix is %d by %d, want %d by %d", m.rows, m.cols, n, n)
	}
	return nil
}

// maxCells bounds what a header may claim.
const maxCells = 1 << 26

var (
	npyDescr   = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape'\s*:\s*\(\s*(\d+)\s*,\s*(\d+)\s*,?\s*\)`)
)

// readNPY reads a two-dimensional NumPy array, format version 1 to 3 (NEP 1), of
// bool, int8 to int64, uint8 to uint64, float32 or float64 in either byte order.
// Arrays in Fortran order are stored by column and come out by row like all others.
func readNPY(r io.Reader) (matrix, error) {
	br := bufio.NewReader(r)
	var pre [8]byte
	if _, err := io.ReadFull(br, pre[:]); err != nil {
		return matrix{}, fmt.Errorf("read npy magic: %w", err)
	}
	if string(pre[:6]) != "\x93NUMPY" {
		return matrix{}, fmt.Errorf("read npy magic: not a NumPy file")
	}
	size := make([]byte, 2)
	if pre[6] >= 2 {
		size = make([]byte, 4)
	}
	if _, err := io.ReadFull(br, size); err != nil {
		return matrix{}, fmt.Errorf("read npy header length: %w", err)
	}
	n := int(binary.LittleEndian.Uint16(size))
	if len(size) == 4 {
		n = int(binary.LittleEndian.Uint32(size) & math.MaxInt32)
	}
	var header bytes.Buffer
	if got, err := io.CopyN(&header, br, int64(n)); err != nil {
		return matrix{}, fmt.Errorf("read npy header: %d of %d bytes: %w", got, n, err)
	}
	descr, order, shape := npyDescr.FindSubmatch(header.Bytes()), npyFortran.FindSubmatch(header.Bytes()), npyShape.FindSubmatch(header.Bytes())
	if descr == nil || order == nil || shape == nil {
		return matrix{}, fmt.Errorf("read npy header: want descr, fortran_order and a shape of two numbers in %q", header.String())
	}
	rows, err1 := strconv.Atoi(string(shape[1]))
	cols, err2 := strconv.Atoi(string(shape[2]))
	if err1 != nil || err2 != nil || rows < 1 || cols < 1 || rows > maxCells/cols {
		return matrix{}, fmt.Errorf("read npy header: shape %s by %s out of range", shape[1], shape[2])
	}
	width, number, err := npyNumber(string(descr[1]))
	if err != nil {
		return matrix{}, err
	}
	var data bytes.Buffer
	if got, err := io.CopyN(&data, br, int64(rows*cols*width)); err != nil {
		return matrix{}, fmt.Errorf("read npy data: %d of %d bytes: %w", got, rows*cols*width, err)
	}
	m := matrix{rows, cols, make([]float64, rows*cols)}
	for k := range m.cell {
		to := k
		if string(order[1]) == "True" {
			to = k%rows*cols + k/rows
		}
		m.cell[to] = number(data.Bytes()[k*width:])
	}
	return m, nil
}

// npyNumber returns the width in bytes and the decoder of a dtype.
func npyNumber(descr string) (int, func([]byte) float64, error) {
	if len(descr) < 3 || !strings.ContainsRune("<>|=", rune(descr[0])) {
		return 0, nil, fmt.Errorf("read npy header: dtype %q is not supported", descr)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		order = binary.BigEndian
	}
	switch descr[1:] {
	case "b1", "u1":
		return 1, func(b []byte) float64 { return float64(b[0]) }, nil
	case "i1":
		return 1, func(b []byte) float64 { return float64(int8(b[0])) }, nil
	case "i2":
		return 2, func(b []byte) float64 { return float64(int16(order.Uint16(b))) }, nil
	case "u2":
		return 2, func(b []byte) float64 { return float64(order.Uint16(b)) }, nil
	case "i4":
		return 4, func(b []byte) float64 { return float64(int32(order.Uint32(b))) }, nil
	case "u4":
		return 4, func(b []byte) float64 { return float64(order.Uint32(b)) }, nil
	case "i8":
		return 8, func(b []byte) float64 { return float64(int64(order.Uint64(b))) }, nil
	case "u8":
		return 8, func(b []byte) float64 { return float64(order.Uint64(b)) }, nil
	case "f4":
		return 4, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }, nil
	case "f8":
		return 8, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }, nil
	}
	return 0, nil, fmt.Errorf("read npy header: dtype %q is not supported", descr)
}

// readMatrixCSV reads a table of numbers without a header.
func readMatrixCSV(r io.Reader) (matrix, error) {
	cr := csv.NewReader(r)
	cr.TrimLeadingSpace = true
	var m matrix
	for {
		rec, err := cr.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return matrix{}, fmt.Errorf("read matrix: %w", err)
		}
		for c, s := range rec {
			v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil {
				return matrix{}, fmt.Errorf("read matrix row %d column %d: %q is not a number", m.rows+1, c+1, s)
			}
			m.cell = append(m.cell, v)
		}
		m.rows, m.cols = m.rows+1, len(rec)
	}
	if m.rows == 0 {
		return matrix{}, fmt.Errorf("read matrix: no rows")
	}
	return m, nil
}
