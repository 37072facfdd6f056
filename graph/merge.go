package graph

import (
	"cmp"
	"maps"
	"slices"
)

func sortContributions(cs []Contribution) {
	slices.SortStableFunc(cs, func(a, b Contribution) int {
		return cmp.Or(a.Recorded.Compare(b.Recorded), cmp.Compare(a.Source, b.Source))
	})
}

func mergeEntity(into *Entity, e Entity) {
	into.ID = e.ID
	setIf(&into.Kind, e.Kind)
	setIf(&into.Role, e.Role)
	setIf(&into.Name, e.Name)
	setIf(&into.Domain, e.Domain)
	into.Attrs = mergeAttrs(into.Attrs, e.Attrs)
	if e.Valid != (Interval{}) {
		into.Valid = e.Valid
	}
}

func mergeRelation(into *Relation, r Relation) {
	into.From, into.Type, into.To, into.Qualifier = r.From, r.Type, r.To, r.Qualifier
	into.Attrs = mergeAttrs(into.Attrs, r.Attrs)
	if r.Valid != (Interval{}) {
		into.Valid = r.Valid
	}
}

func setIf[T comparable](dst *T, v T) {
	var zero T
	if v != zero {
		*dst = v
	}
}

func mergeAttrs(into, from map[string]string) map[string]string {
	if len(from) == 0 {
		return into
	}
	if into == nil {
		return maps.Clone(from)
	}
	maps.Copy(into, from)
	return into
}
