package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"faultline/hwsim/otdr"
)

// lastLine decodes the JSON that ends the output.
func lastLine(t *testing.T, out string, into any) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), into); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
}

func TestOTDROnRandomPlants(t *testing.T) {
	var outs [2]string
	for i := range outs {
		var out bytes.Buffer
		if err := runOTDR(context.Background(), []string{"-seed", "5", "-n", "60", "-json"}, &out); err != nil {
			t.Fatal(err)
		}
		outs[i] = out.String()
	}
	if outs[0] != outs[1] {
		t.Error("one seed, two results")
	}
	var card map[string]float64
	lastLine(t, outs[0], &card)
	if card["located"] < 0.95 || card["joints_found"] < 0.8 {
		t.Errorf("got %v", card)
	}
}

func TestOTDROnFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := &otdr.File{Version: 200, General: otdr.General{Language: "EN", BuildCondition: "BC"},
		Fixed: otdr.Fixed{Units: "mt", TraceType: "ST", Index: 146800, Pulses: []otdr.Pulse{{WidthNS: 100, Spacing: 500000, Points: 3}}},
		Data:  []otdr.Samples{{Scale: 1000, Raw: []uint16{1, 2, 3}}},
		Events: otdr.KeyEvents{Events: []otdr.KeyEvent{
			{Number: 1, Time: 10000, Loss: 120, Code: "0F9999LS"},
			{Number: 2, Time: 50000, Loss: 9000, Reflectance: -14500, Code: "1E9999LS"}}}}
	data, err := otdr.Write(f)
	if err != nil {
		t.Fatal(err)
	}
	put("good.sor", data)
	bad := bytes.Clone(data)
	bad[len(bad)-1] ^= 0x55
	put("bad.sor", bad)
	put("text.sor", []byte("this is not a trace"))
	at := func(i int) float64 { return f.DistanceM(f.Events.Events[i]) }
	events := fmt.Sprintf(`{"events":[{"distance_m":%f,"loss_db":0.12,"reflectance_db":null,"code":"0F9999LS","end":false},
		{"distance_m":%f,"loss_db":9,"reflectance_db":-14.5,"code":"1E9999LS","end":true}]}`, at(0), at(1)+0.5)
	wrong := strings.Replace(events, "0.12", "0.2", 1)
	put("events.json", []byte(fmt.Sprintf(`{"good.sor":%s,"bad.sor":%s,"gone.sor":%s,"text.sor":%s}`, events, wrong, events, events)))
	var out bytes.Buffer
	if err := runOTDR(context.Background(), []string{"-data", dir, "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var card traceCard
	lastLine(t, out.String(), &card)
	if card.Matched != 3 || card.Expected != 8 || card.Files != 4 {
		t.Errorf("matched %d of %d in %d files, want 3 of 8 in 4", card.Matched, card.Expected, card.Files)
	}
	if len(card.Checksum) != 1 || card.Checksum[0] != "bad.sor" {
		t.Errorf("checksum faults %q, want bad.sor", card.Checksum)
	}
	if !strings.Contains(strings.Join(card.Faults, "\n"), "gone.sor") || !strings.Contains(strings.Join(card.Faults, "\n"), "text.sor: read map") {
		t.Errorf("faults %q", card.Faults)
	}
}

func TestOTDROnFieldTraces(t *testing.T) {
	dir := os.Getenv("FAULTLINE_DATA")
	if dir == "" {
		t.Skip("FAULTLINE_DATA names no folder with the data sets, so no field trace is read")
	}
	var out bytes.Buffer
	if err := runOTDR(context.Background(), []string{"-data", filepath.Join(dir, "otdr"), "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var card traceCard
	lastLine(t, out.String(), &card)
	if card.Matched != card.Expected || card.EndsLocated != card.EndsExpected || len(card.Checksum)+len(card.Faults) > 0 {
		t.Errorf("got\n%s", out.String())
	}
}
