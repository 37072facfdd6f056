package neo4j

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"faultline/graph"
	"faultline/migrations"
)

// served does to properties what the server does, and fails on what it refuses.
func served(t *testing.T, p map[string]any) map[string]any {
	t.Helper()
	out := map[string]any{}
	for k, v := range p {
		switch v := v.(type) {
		case string:
			if !utf8.ValidString(v) {
				t.Fatalf("%s: %q is not UTF-8", k, v)
			}
			out[k] = v
		case int64, float64:
			out[k] = v
		case []string:
			list := []any{}
			for _, x := range v {
				list = append(list, x)
			}
			out[k] = list
		case []int64:
			list := []any{}
			for _, x := range v {
				list = append(list, x)
			}
			out[k] = list
		default:
			t.Fatalf("%s: a %T is no property", k, v)
		}
	}
	return out
}

// FuzzEncode holds that a change which passes the checks comes back as it was said.
func FuzzEncode(f *testing.F) {
	f.Add("ne-1", "NE", "router", "Core Öst", "inv.csv", "line 7", "vendor", "ours", int64(1772352000), int64(7), int64(253402300799), 0.75, false)
	f.Add("a", "T", "b", "slot 1", "s", "", "", "", int64(1), int64(0), int64(0), 0.0, true)
	f.Fuzz(func(t *testing.T, id, kind, a, b, source, span, key, value string, from, nsec, to int64, confidence float64, relation bool) {
		c := graph.Change{
			Op: graph.OpPut, At: time.Unix(1772352000, nsec%1e9).UTC(),
			By: graph.Provenance{Source: source, Span: span, Version: a, Rule: b, Confidence: confidence},
		}
		valid := graph.Interval{From: time.Unix(from, 0).UTC(), To: time.Unix(to, nsec%1e9).UTC()}
		if key != "" {
			valid.From = time.Time{}
		}
		attrs := map[string]string{key: value, value: key}
		k := graph.RelationKey{From: graph.ID(id)}
		if relation {
			k.Type, k.To, k.Qualifier = graph.RelationType(kind), graph.ID(a), b
			c.Relation = &graph.Relation{From: k.From, Type: k.Type, To: k.To, Qualifier: b, Attrs: attrs, Valid: valid}
		} else {
			c.Entity = &graph.Entity{ID: graph.ID(id), Kind: graph.Kind(kind), Role: a, Name: b, Domain: value, Attrs: attrs, Valid: valid}
		}
		if c.Validate() != nil || confidence != confidence {
			return
		}
		if err := check(&c); err != nil {
			if !errors.Is(err, graph.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		p := served(t, encode(&c))
		p["number"] = int64(1)
		want := graph.Contribution{Provenance: c.By, Recorded: c.At, Entity: c.Entity, Relation: c.Relation}
		got, err := decode(k, p, 1)
		if err != nil || !reflect.DeepEqual(got.Contribution, want) {
			t.Errorf("%v\n got %+v %+v %+v\nwant %+v %+v %+v", err, got.Contribution, got.Entity, got.Relation, want, want.Entity, want.Relation)
		}
		p["until"], p["retracted"] = int64(2), int64(5)
		if got, err = decode(k, p, 1); err != nil || !got.Retracted.IsZero() {
			t.Errorf("%v: before its end it shows %v", err, got.Retracted)
		}
		if got, err = decode(k, p, 2); err != nil || !got.Retracted.Equal(time.Unix(0, 5)) {
			t.Errorf("%v: after its end it shows %v", err, got.Retracted)
		}
	})
}

// TestDecodeRefusesWhatItDidNotWrite damages properties one by one.
func TestDecodeRefusesWhatItDidNotWrite(t *testing.T) {
	e := graph.Entity{ID: "a", Kind: "NE", Attrs: map[string]string{"k": "v"}, Valid: graph.Interval{From: time.Unix(1, 0)}}
	c := graph.Change{Op: graph.OpPut, At: time.Unix(1, 0), By: graph.Provenance{Source: "s", Confidence: 0.5}, Entity: &e}
	for field, v := range map[string]any{
		"source": nil, "recorded": "1", "number": nil, "kind": int64(1), "confidence": "x", "attr_keys": []any{int64(1)}, "attr_values": []any{},
		"valid_from": []any{int64(1)}, "valid_to": "never", "until": "x", "role": true,
	} {
		p := served(t, encode(&c))
		p["number"] = int64(1)
		p[field] = v
		if _, err := decode(graph.RelationKey{From: "a"}, p, 9); !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), "statement on a") {
			t.Errorf("%s = %v: got %v", field, v, err)
		}
	}
}

func TestCheckNamesTheField(t *testing.T) {
	long, bad := strings.Repeat("x", MaxKey+1), "\xff"
	for field, f := range map[string]func(c *graph.Change){
		"id:":            func(c *graph.Change) { c.ID = long },
		"source:":        func(c *graph.Change) { c.By.Source = bad },
		"span:":          func(c *graph.Change) { c.By.Span = bad },
		"entity.id:":     func(c *graph.Change) { c.Entity.ID = graph.ID(long) },
		"entity.kind:":   func(c *graph.Change) { c.Entity.Kind = graph.Kind(long) },
		"entity.name:":   func(c *graph.Change) { c.Entity.Name = bad },
		`attribute "k":`: func(c *graph.Change) { c.Entity.Attrs = map[string]string{"k": bad} },
		"relation.to:": func(c *graph.Change) {
			c.Entity, c.Relation = nil, &graph.Relation{From: "a", Type: "T", To: graph.ID(long)}
		},
		"at: 1066-10-14": func(c *graph.Change) { c.At = time.Date(1066, 10, 14, 0, 0, 0, 0, time.UTC) },
		"relation.qualifier": func(c *graph.Change) {
			c.Entity, c.Relation = nil, &graph.Relation{From: "a", Type: "T", To: "b", Qualifier: bad}
		},
	} {
		c := graph.Change{ID: "c", Op: graph.OpPut, At: time.Unix(1, 0), By: graph.Provenance{Source: "s"}, Entity: &graph.Entity{ID: "a", Kind: "NE"}}
		f(&c)
		if err := check(&c); !errors.Is(err, graph.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s got %v", field, err)
		}
	}
}

// FuzzStatements holds that cutting a migration loses nothing and is stable.
func FuzzStatements(f *testing.F) {
	names, err := fs.Glob(migrations.Neo4j, "*.cypher")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations.Neo4j, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("RETURN 1; RETURN 2;\n// not; this\nRETURN\n3;")
	f.Fuzz(func(t *testing.T, text string) {
		got := statements(text)
		if again := statements(strings.Join(got, ";\n")); !reflect.DeepEqual(again, got) {
			t.Errorf("cut again: %q, first %q", again, got)
		}
	})
}
