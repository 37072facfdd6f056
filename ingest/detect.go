package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"path"
	"strings"
)

// Format is a file format that a child of this package reads.
type Format string

// The formats that Detect tells apart.
const (
	FormatAlarmsJSONL      Format = "alarms-jsonl"
	FormatAlarmsCSV        Format = "alarms-csv"
	FormatVES              Format = "ves"
	FormatInventoryTMF639  Format = "inventory-tmf639"
	FormatInventoryCSV     Format = "inventory-csv"
	FormatRelationsCSV     Format = "relations-csv"
	FormatWorkOrdersTMF621 Format = "workorders-tmf621"
	FormatWorkOrdersCSV    Format = "workorders-csv"
	FormatManualMD         Format = "manual-md"
	FormatManualHTML       Format = "manual-html"
	FormatManualStarlingX  Format = "manual-starlingx"
	FormatUnknown          Format = "unknown"
)

// Detect recognises a format by the file name and the head of its content, of which
// 64 KiB are enough. The content decides where it can; the name of the file only
// helps between texts.
func Detect(name string, head []byte) Format {
	if len(head) > 2 && head[0] == 0x1f && head[1] == 0x8b {
		if zr, err := gzip.NewReader(bytes.NewReader(head)); err == nil {
			head, _ = io.ReadAll(io.LimitReader(zr, 64<<10)) // the head is cut short: an error is expected
		}
		name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	}
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	ext := strings.ToLower(path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")))
	if len(head) == 0 {
		return FormatUnknown
	}
	if head[0] == '{' || head[0] == '[' && bytes.HasPrefix(bytes.TrimLeft(head, "[ \t\r\n"), []byte("{")) {
		return detectJSON(head)
	}
	low := bytes.ToLower(head[:min(len(head), 4096)])
	switch {
	case bytes.HasPrefix(low, []byte("<!doctype html")) || bytes.Contains(low, []byte("<html")) || ext == ".html" || ext == ".htm":
		return FormatManualHTML
	case ext == ".md" || ext == ".markdown":
		return FormatManualMD
	case (ext == ".yaml" || ext == ".yml" || ext == "") && bytes.Contains(head, []byte("Entity_Instance_ID:")):
		return FormatManualStarlingX
	}
	if f := detectCSV(head); f != FormatUnknown {
		return f
	}
	if bytes.HasPrefix(head, []byte("# ")) || bytes.Contains(head, []byte("\n## ")) {
		return FormatManualMD
	}
	return FormatUnknown
}

// detectJSON looks at the key names of the first object, at any depth.
func detectJSON(head []byte) Format {
	keys := map[string]bool{}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimLeft(head, "[ \t\r\n")))
	depth, key := 0, false
	var stack []bool // true: object
	for {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		switch t := tok.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				stack = append(stack, t == '{')
				depth++
				key = t == '{'
				continue
			}
			stack = stack[:len(stack)-1]
			depth--
		case string:
			if key {
				if depth <= 4 {
					keys[t] = true
				}
				key = false
				continue
			}
		}
		if depth == 0 {
			break
		}
		key = stack[len(stack)-1]
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if keys[n] {
				return true
			}
		}
		return false
	}
	switch {
	case has("commonEventHeader", "eventList"):
		return FormatVES
	case has("ticketType", "troubleTicketCharacteristic", "troubleTicketRelationship"):
		return FormatWorkOrdersTMF621
	case has("perceivedSeverity", "alarmedObject", "alarmRaisedTime", "probableCause", "probable_cause") || has("severity") && has("resource"):
		return FormatAlarmsJSONL
	case has("resourceRelationship", "resourceSpecification", "resourceCharacteristic") || has("id") && has("category"):
		return FormatInventoryTMF639
	case has("resource") && has("type", "time"):
		return FormatAlarmsJSONL
	}
	return FormatUnknown
}

func detectCSV(head []byte) Format {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	cols := map[string]bool{}
	for _, f := range strings.FieldsFunc(string(line), func(r rune) bool { return r == ',' || r == ';' || r == '\t' }) {
		cols[FoldColumn(f)] = true
	}
	has := func(names ...string) bool {
		for _, n := range names {
			if cols[n] {
				return true
			}
		}
		return false
	}
	switch {
	case len(cols) < 2:
		return FormatUnknown
	case has("from") && has("to") && has("type"):
		return FormatRelationsCSV
	case has("plannedstart", "rootcause", "resolution", "closurecode", "tickettype", "ticketid", "resolutiondate"):
		return FormatWorkOrdersCSV
	case has("id") && has("kind"):
		return FormatInventoryCSV
	case has("alarmid", "alarmtype", "alarmname", "alarmcode", "alarm", "severity", "perceivedseverity", "starttimestamp", "alarmraisedtime", "raisedtime") ||
		has("resource", "device", "deviceid") && has("time", "timestamp", "starttime", "eventtime", "type"):
		return FormatAlarmsCSV
	}
	return FormatUnknown
}

// FoldColumn reduces a column or field name to lower-case letters and digits, so
// that "Start Timestamp", "start_timestamp" and "startTimestamp" are one.
func FoldColumn(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
			return r
		}
		return -1
	}, s)
}
