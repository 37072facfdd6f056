package inventory

import (
	"context"
	"io"
	"strings"

	"faultline/graph"
	"faultline/ingest"
)

// ReadResources reads a table with the columns id and kind, and role, name, domain,
// valid_from and valid_to where they are there; every other column is an attribute.
// file names the table in rejects (empty: Options.File), total is its size in bytes
// for Progress (0: Options.Total).
func (im *Import) ReadResources(ctx context.Context, r io.Reader, file string, total int64) error {
	o := im.options(file, total)
	in, err := ingest.NewInput(ctx, r, o)
	if err != nil {
		return err
	}
	rows, err := ingest.NewRows(in)
	if err != nil {
		return err
	}
	cols, err := columns(o.File, rows.Header(), "id", "kind")
	if err != nil {
		return err
	}
	named := map[int]bool{}
	for _, n := range []string{"id", "kind", "role", "name", "domain", "validfrom", "validto"} {
		if i, ok := cols[n]; ok {
			named[i] = true
		}
	}
	return each(im, rows.Next, func(row ingest.Row) error {
		get := getter(cols, row)
		w := at{o.File, row.Line, row.Text}
		e := graph.Entity{ID: graph.ID(get("id")), Kind: graph.Kind(get("kind")), Role: get("role"), Name: get("name"), Domain: get("domain")}
		if !im.interval(&e.Valid, get("validfrom"), get("validto"), w) {
			im.refused[e.ID] = true
			return nil
		}
		for i, v := range row.Fields {
			if v = strings.TrimSpace(v); v != "" && !named[i] && rows.Header()[i] != "" {
				if e.Attrs == nil {
					e.Attrs = make(map[string]string, len(row.Fields)-len(named))
				}
				e.Attrs[rows.Header()[i]] = v
			}
		}
		_, err := im.resource(e, "kind", w)
		return err
	})
}

// ReadRelations reads a table with the columns from, type and to, and qualifier,
// valid_from and valid_to where they are there; every other column is an attribute.
// The types are those of the resource model; the names that TMF639 users give them
// are understood too. file and total are as for ReadResources.
func (im *Import) ReadRelations(ctx context.Context, r io.Reader, file string, total int64) error {
	o := im.options(file, total)
	in, err := ingest.NewInput(ctx, r, o)
	if err != nil {
		return err
	}
	rows, err := ingest.NewRows(in)
	if err != nil {
		return err
	}
	cols, err := columns(o.File, rows.Header(), "from", "type", "to")
	if err != nil {
		return err
	}
	named := map[int]bool{}
	for _, n := range []string{"from", "type", "to", "qualifier", "validfrom", "validto"} {
		if i, ok := cols[n]; ok {
			named[i] = true
		}
	}
	return each(im, rows.Next, func(row ingest.Row) error {
		get := getter(cols, row)
		w := at{o.File, row.Line, row.Text}
		rel := relate(graph.ID(get("from")), get("type"), graph.ID(get("to")))
		rel.Qualifier = get("qualifier")
		if !im.interval(&rel.Valid, get("validfrom"), get("validto"), w) {
			return nil
		}
		for i, v := range row.Fields {
			if v = strings.TrimSpace(v); v != "" && !named[i] && rows.Header()[i] != "" {
				if rel.Attrs == nil {
					rel.Attrs = map[string]string{}
				}
				rel.Attrs[rows.Header()[i]] = v
			}
		}
		return im.relation(rel, w)
	})
}

func getter(cols map[string]int, row ingest.Row) func(string) string {
	return func(name string) string {
		if i, ok := cols[name]; ok {
			return strings.TrimSpace(row.Fields[i])
		}
		return ""
	}
}

// interval fills a validity. ok is false when a bound was rejected.
func (im *Import) interval(v *graph.Interval, from, to string, w at) (ok bool) {
	var err error
	if from != "" {
		if v.From, err = ingest.ParseTime(from, nil); err != nil {
			im.refuse(w, "valid_from", reason(err))
			return false
		}
	}
	if to != "" {
		if v.To, err = ingest.ParseTime(to, nil); err != nil {
			im.refuse(w, "valid_to", reason(err))
			return false
		}
		if v.To.Before(v.From) {
			im.refuse(w, "valid_to", "lies before valid_from")
			return false
		}
	}
	return true
}
