package rca

import "testing"

func TestNamesThatSeveralTypesClaim(t *testing.T) {
	types := distinct([]AlarmType{
		{ID: "A1", Slug: "link-down", Name: "Link Down", Aliases: []string{"LOS", "no light"}},
		{ID: "B1", Slug: "los", Name: "Loss of Signal", Aliases: []string{"link down", "los"}},
		{ID: "C1", Slug: "link-down", Name: "LINK DOWN", Aliases: []string{"No Light"}},
	})
	k, err := NewKnowledge(types, nil, nil, nil)
	if err != nil {
		t.Fatalf("names still clash: %v", err)
	}
	for name, want := range map[string]string{
		"link down": "A1", "link-down": "A1", "no light": "A1", "LOS": "B1", "loss of signal": "B1", "c1": "C1", "link down (C1)": "C1",
	} {
		if id, ok := k.ResolveAlarmType(name); !ok || id != want {
			t.Errorf("%q means %q, want %s", name, id, want)
		}
	}
}
