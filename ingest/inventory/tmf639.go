package inventory

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"strings"

	"faultline/graph"
	"faultline/ingest"
	"faultline/rca"
)

type tmfResource struct {
	ID             json.RawMessage     `json:"id"`
	Name           string              `json:"name"`
	Description    string              `json:"description"`
	Category       string              `json:"category"`
	Class          string              `json:"@type"`
	Spec           *tmfRef             `json:"resourceSpecification"`
	Characteristic []tmfCharacteristic `json:"resourceCharacteristic"`
	Relationship   []tmfRelationship   `json:"resourceRelationship"`
	Place          json.RawMessage     `json:"place"`
	External       []tmfExternal       `json:"externalIdentifier"`
	ValidFor       *tmfPeriod          `json:"validFor"`
	Start          string              `json:"startOperatingDate"`
	End            string              `json:"endOperatingDate"`
	Operational    string              `json:"operationalState"`
	Administrative string              `json:"administrativeState"`
	Usage          string              `json:"usageState"`
	Lifecycle      string              `json:"lifecycleState"`
	Status         string              `json:"resourceStatus"`
	Serial         string              `json:"serialNumber"`
	Version        string              `json:"resourceVersion"`
	Value          json.RawMessage     `json:"value"`
}

type tmfRef struct {
	ID   json.RawMessage `json:"id"`
	Name string          `json:"name"`
}

type tmfCharacteristic struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

type tmfRelationship struct {
	Type           string              `json:"relationshipType"`
	Resource       tmfRef              `json:"resource"`
	Characteristic []tmfCharacteristic `json:"resourceRelationshipCharacteristic"`
	Old            []tmfCharacteristic `json:"characteristic"`
	ValidFor       *tmfPeriod          `json:"validFor"`
}

type tmfExternal struct {
	ID    string `json:"id"`
	Owner string `json:"owner"`
}

type tmfPeriod struct {
	Start string `json:"startDateTime"`
	End   string `json:"endDateTime"`
}

// ReadTMF639 reads TMF639 v4 or v5 resources, as an array or as JSON Lines. The kind
// is category, else the name of resourceSpecification. The characteristics role and
// domain have fields of their own; the others, @type and the states are attributes.
// resourceRelationship leads from this resource; a type that is spelled from the
// other end (isContainedIn, poweredBy, hostedOn, ...) is turned round. file and total
// are as for ReadResources.
func (im *Import) ReadTMF639(ctx context.Context, r io.Reader, file string, total int64) error {
	o := im.options(file, total)
	in, err := ingest.NewInput(ctx, r, o)
	if err != nil {
		return err
	}
	objects := ingest.NewObjects(in)
	return each(im, objects.Next, func(obj ingest.Object) error {
		w := at{o.File, obj.Line, head(obj.Text)}
		var t tmfResource
		if err := json.Unmarshal(obj.Text, &t); err != nil {
			im.refuse(w, ingest.JSONField(err), err.Error())
			return nil
		}
		return im.tmf(t, w)
	})
}

func (im *Import) tmf(t tmfResource, w at) error {
	e := graph.Entity{ID: graph.ID(text(t.ID)), Kind: graph.Kind(t.Category), Name: t.Name, Attrs: make(map[string]string, len(t.Characteristic)+4)}
	field := "category"
	if spec := t.Spec; spec != nil && (e.Kind == "" || !im.schema.KnowsKind(e.Kind) && im.schema.KnowsKind(graph.Kind(spec.Name))) {
		e.Kind, field = graph.Kind(spec.Name), "resourceSpecification.name"
	}
	set := func(k, v string) {
		if v != "" {
			e.Attrs[k] = v
		}
	}
	set("@type", t.Class)
	set("description", t.Description)
	set("operationalState", t.Operational)
	set("administrativeState", t.Administrative)
	set("usageState", t.Usage)
	set("lifecycleState", t.Lifecycle)
	set("resourceStatus", t.Status)
	set("serialNumber", t.Serial)
	set("resourceVersion", t.Version)
	set("value", text(t.Value))
	set("place", placeName(t.Place))
	for _, x := range t.External {
		set(cmp.Or("external."+x.Owner, "external"), x.ID)
	}
	for _, c := range t.Characteristic {
		switch v := text(c.Value); strings.ToLower(c.Name) {
		case "role":
			e.Role = v
		case "domain":
			e.Domain = v
		default:
			set(c.Name, v)
		}
	}
	from, to := t.Start, t.End
	if p := t.ValidFor; p != nil {
		from, to = cmp.Or(p.Start, from), cmp.Or(p.End, to)
	}
	if !im.interval(&e.Valid, from, to, w) {
		im.refused[e.ID] = true
		return nil
	}
	ok, err := im.resource(e, field, w)
	if err != nil || !ok {
		return err
	}
	for _, rs := range t.Relationship {
		r := relate(e.ID, rs.Type, graph.ID(cmp.Or(text(rs.Resource.ID), rs.Resource.Name)))
		for _, c := range append(rs.Characteristic, rs.Old...) {
			if strings.EqualFold(c.Name, "qualifier") {
				r.Qualifier = text(c.Value)
				continue
			}
			if r.Attrs == nil {
				r.Attrs = map[string]string{}
			}
			r.Attrs[c.Name] = text(c.Value)
		}
		if p := rs.ValidFor; p != nil && !im.interval(&r.Valid, p.Start, p.End, w) {
			continue
		}
		if err := im.relation(r, w); err != nil {
			return err
		}
	}
	return nil
}

// relationNames are spellings of relation types, folded. The second set is spelled
// from the other end.
var (
	relationNames = map[string]graph.RelationType{
		"contains": graph.Contains, "bundled": graph.Contains, "bundles": graph.Contains, "connects": graph.Connects, "terminateson": graph.Connects,
		"powers": graph.Powers, "feeds": graph.Powers, "hosts": graph.Hosts, "carries": graph.Carries, "dependson": graph.DependsOn, "relieson": graph.DependsOn,
		"requires": graph.DependsOn, "protects": graph.Protects, "synchronises": graph.Synchronises, "synchronizes": graph.Synchronises, "laidin": graph.LaidIn,
		"serves": graph.Serves,
	}
	inverseNames = map[string]graph.RelationType{
		"iscontainedin": graph.Contains, "containedin": graph.Contains, "containedby": graph.Contains, "partof": graph.Contains, "ispartof": graph.Contains,
		"connectedby": graph.Connects, "poweredby": graph.Powers, "fedby": graph.Powers, "hostedby": graph.Hosts, "hostedon": graph.Hosts, "runson": graph.Hosts,
		"carriedby": graph.Carries, "carriedon": graph.Carries, "protectedby": graph.Protects, "synchronisedby": graph.Synchronises,
		"synchronizedby": graph.Synchronises, "servedby": graph.Serves, "isreliedonby": graph.DependsOn, "requiredby": graph.DependsOn,
	}
)

func relate(self graph.ID, name string, other graph.ID) graph.Relation {
	f := ingest.FoldColumn(name)
	if t, ok := inverseNames[f]; ok {
		return graph.Relation{From: other, Type: t, To: self}
	}
	if t, ok := relationNames[f]; ok {
		return graph.Relation{From: self, Type: t, To: other}
	}
	return graph.Relation{From: self, Type: graph.RelationType(strings.TrimSpace(name)), To: other}
}

// placeName reads a place given as an object or as a list of them.
func placeName(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	if len(v) == 0 {
		return ""
	}
	var list []tmfRef
	if v[0] != '[' {
		list = make([]tmfRef, 1)
		if json.Unmarshal(v, &list[0]) != nil {
			return ""
		}
	} else if json.Unmarshal(v, &list) != nil {
		return ""
	}
	if len(list) == 0 {
		return ""
	}
	return cmp.Or(text(list[0].ID), list[0].Name)
}

// text gives a JSON string without quotes and anything else as it stands.
func text(v json.RawMessage) string {
	v = bytes.TrimSpace(v)
	if len(v) == 0 || string(v) == "null" {
		return ""
	}
	if v[0] != '"' {
		return string(v)
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	var s string
	_ = json.Unmarshal(v, &s) // the object was valid as a whole
	return s
}

func reason(err error) string { return strings.TrimSuffix(err.Error(), ": "+rca.ErrInvalid.Error()) }
func head(b []byte) string    { return string(b[:min(len(b), 2000)]) }
