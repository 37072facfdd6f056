package operator

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"faultline/hwsim"
)

// logical lists the kinds that nobody can touch; all others are physical.
var logical = map[string]bool{
	"Cell": true, "Channel": true, "CloudControl": true, "Cluster": true, "CustomerGroup": true, "FlexEGroup": true, "KubeNode": true, "LAG": true, "Link": true,
	"MEP": true, "NF": true, "PON": true, "PW": true, "Path": true, "Pod": true, "Pool": true, "ProtectionGroup": true, "Service": true, "Session": true,
	"Slice": true, "Storage": true, "Tunnel": true, "VM": true, "VRF": true, "VSwitch": true, "VirtualNetwork": true, "Volume": true,
}

// The part of a TMF639 v5 resource that an inventory export fills.
type (
	tmfResource struct {
		ID              string              `json:"id"`
		Name            string              `json:"name"`
		Category        string              `json:"category"`
		Type            string              `json:"@type"`
		Characteristics []tmfCharacteristic `json:"resourceCharacteristic"`
		Relationships   []tmfRelationship   `json:"resourceRelationship,omitempty"`
	}
	tmfCharacteristic struct {
		Name  string `json:"name"`
		Value string `json:"value"`
		Type  string `json:"@type"`
	}
	tmfRelationship struct {
		RelationshipType string `json:"relationshipType"`
		Resource         tmfRef `json:"resource"`
		Type             string `json:"@type"`
	}
	tmfRef struct {
		ID   string `json:"id"`
		Type string `json:"@type"`
	}
)

// WriteTMF639 writes the inventory as a JSON array of TMF639 resources, by id, one a
// line. The category is the kind; role, domain and attributes are characteristics;
// the relationships are those that leave the resource.
func (o *Operator) WriteTMF639(w io.Writer) error {
	out := bufio.NewWriter(w)
	sep := "[\n"
	for _, r := range o.Network.Resources() {
		line, err := json.Marshal(o.tmf(r))
		if err != nil {
			return fmt.Errorf("write TMF639 resource %s: %w", r.ID, err)
		}
		out.WriteString(sep)
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write TMF639 resource %s: %w", r.ID, err)
		}
		sep = ",\n"
	}
	out.WriteString("\n]\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write TMF639: %w", err)
	}
	return nil
}

func (o *Operator) tmf(r hwsim.Resource) tmfResource {
	const text = "StringCharacteristic"
	t := tmfResource{ID: r.ID, Name: r.Name, Category: r.Kind, Type: "PhysicalResource"}
	if logical[r.Kind] {
		t.Type = "LogicalResource"
	}
	if r.Role != "" {
		t.Characteristics = append(t.Characteristics, tmfCharacteristic{"role", r.Role, text})
	}
	t.Characteristics = append(t.Characteristics, tmfCharacteristic{"domain", r.Domain, text})
	for _, k := range slices.Sorted(maps.Keys(r.Attrs)) {
		t.Characteristics = append(t.Characteristics, tmfCharacteristic{k, r.Attrs[k], text})
	}
	for _, rel := range o.Network.Leaving(r.ID) {
		t.Relationships = append(t.Relationships, tmfRelationship{rel.Type, tmfRef{rel.To, "ResourceRef"}, "ResourceRelationship"})
	}
	return t
}

// WriteCSV writes the inventory as two tables, sorted: resources with the columns id,
// kind, role, name, domain and one for each attribute that any resource has, and
// relations with the columns from, type and to.
func (o *Operator) WriteCSV(resources, relations io.Writer) error {
	keys := map[string]bool{}
	for _, r := range o.Network.Resources() {
		for k := range r.Attrs {
			keys[k] = true
		}
	}
	attrs := slices.Sorted(maps.Keys(keys))
	out := csv.NewWriter(resources)
	row := append([]string{"id", "kind", "role", "name", "domain"}, attrs...)
	out.Write(row) // a failed write is kept and reported by Error
	for _, r := range o.Network.Resources() {
		row = append(row[:0], r.ID, r.Kind, r.Role, r.Name, r.Domain)
		for _, k := range attrs {
			row = append(row, r.Attrs[k])
		}
		out.Write(row)
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write resources: %w", err)
	}
	out = csv.NewWriter(relations)
	out.Write([]string{"from", "type", "to"})
	for _, r := range o.Network.Relations() {
		out.Write([]string{r.From, r.Type, r.To})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write relations: %w", err)
	}
	return nil
}
