package rca

import "strings"

// distinct has each name mean one alarm type. Documents that people read in define
// types of their own, with names that others have too; that must not make the rest
// of the knowledge unusable. Ids come before slugs, slugs before names, names before
// aliases, and of equals the first type keeps it. Another's slug or alias is left
// out, another's name gets the id beside it.
func distinct(types []AlarmType) []AlarmType {
	owner := map[string]string{}
	mine := func(name, id string) bool {
		name = strings.ToLower(name)
		if name == "" {
			return true
		}
		if _, taken := owner[name]; !taken {
			owner[name] = id
		}
		return owner[name] == id
	}
	out := make([]AlarmType, len(types))
	copy(out, types)
	for _, t := range out {
		mine(t.ID, t.ID)
	}
	for i := range out {
		if t := &out[i]; !mine(t.Slug, t.ID) {
			t.Slug = ""
		}
	}
	for i := range out {
		if t := &out[i]; !mine(t.Name, t.ID) {
			t.Name += " (" + t.ID + ")"
		}
	}
	for i := range out {
		t := &out[i]
		var kept []string
		for _, a := range t.Aliases {
			if mine(a, t.ID) {
				kept = append(kept, a)
			}
		}
		t.Aliases = kept
	}
	return out
}
