package verify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"faultline/graph"
	"faultline/rca"
	"faultline/rca/verify"
)

// keys reads "T1@r1 T2@r2".
func keys(s string) []rca.AlarmKey {
	var out []rca.AlarmKey
	for f := range strings.FieldsSeq(s) {
		typ, res, _ := strings.Cut(f, "@")
		out = append(out, rca.AlarmKey{Type: typ, Resource: graph.ID(res)})
	}
	return out
}

func TestCompare(t *testing.T) {
	for _, tc := range []struct {
		name                         string
		clear, remain, disturbed     string
		cleared, standing, raised    string
		confirmed                    bool
		precision, recall            string
		wrong, missed, reasonMention string
	}{
		{name: "all as predicted", clear: "A@1 B@2", cleared: "B@2 A@1", confirmed: true, precision: "1.00", recall: "1.00",
			reasonMention: "Confirmed: 2 of 2 predicted clears happened."},
		{name: "one still stands", clear: "A@1 B@2", cleared: "A@1", standing: "B@2", precision: "0.50", recall: "1.00", wrong: "B@2",
			reasonMention: "Refuted: 1 of 2 predicted clears happened; 1 still stand, first B@2."},
		{name: "nothing happened", clear: "A@1", standing: "A@1", precision: "0.00", recall: "0.00", wrong: "A@1", reasonMention: "Refuted"},
		{name: "more cleared than predicted", clear: "A@1", cleared: "A@1 C@3 B@2", confirmed: true, precision: "1.00", recall: "0.33", missed: "B@2 C@3",
			reasonMention: "2 cleared without prediction"},
		{name: "a new alarm refutes", clear: "A@1", cleared: "A@1", raised: "X@9", precision: "1.00", recall: "1.00",
			reasonMention: "Refuted: 1 of 1 predicted clears happened; 1 were newly raised, first X@9."},
		{name: "a remaining alarm raised again does not", clear: "A@1", remain: "R@4", cleared: "A@1", standing: "R@4", raised: "R@4", confirmed: true, precision: "1.00", recall: "1.00"},
		{name: "the work's own passing alarm does not", clear: "A@1", disturbed: "9", cleared: "A@1 X@9", raised: "X@9", confirmed: true, precision: "1.00", recall: "1.00"},
		{name: "the work's alarm that stays does", clear: "A@1", disturbed: "9", cleared: "A@1", standing: "X@9", raised: "X@9", precision: "1.00", recall: "1.00"},
		{name: "cleared and back is standing", clear: "A@1", cleared: "A@1", standing: "A@1", raised: "A@1", precision: "0.00", recall: "0.00", wrong: "A@1",
			reasonMention: "Refuted: 0 of 1 predicted clears happened; 1 still stand, first A@1."},
		{name: "mostly unseen is not enough", clear: "A@1 B@1 C@1", cleared: "A@1", precision: "1.00", recall: "1.00",
			reasonMention: "Not confirmed: 1 of 3 predicted clears happened; 2 were not observed."},
		{name: "nothing observed", clear: "A@1", precision: "0.00", recall: "0.00", reasonMention: "Not confirmed: 0 of 1"},
		{name: "nothing predicted", cleared: "A@1", precision: "0.00", recall: "0.00", missed: "A@1",
			reasonMention: "No alarm was predicted to clear, so there is nothing to confirm; 1 cleared all the same."},
		{name: "nothing at all", precision: "0.00", recall: "0.00", reasonMention: "nothing to confirm."},
		{name: "nothing predicted and a new alarm", raised: "X@9", precision: "0.00", recall: "0.00", reasonMention: "Refuted: 1 were newly raised, first X@9."},
		{name: "repetitions count once", clear: "A@1 A@1", cleared: "A@1 A@1", confirmed: true, precision: "1.00", recall: "1.00", reasonMention: "1 of 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := rca.Prediction{Cleared: keys(tc.clear), Remaining: keys(tc.remain)}
			for f := range strings.FieldsSeq(tc.disturbed) {
				p.Disturbed = append(p.Disturbed, graph.ID(f))
			}
			v := verify.Compare(p, rca.Observation{Cleared: keys(tc.cleared), Standing: keys(tc.standing), Raised: keys(tc.raised)})
			if v.Confirmed != tc.confirmed {
				t.Errorf("confirmed %v, want %v (%s)", v.Confirmed, tc.confirmed, v.Reason)
			}
			if p, r := fmt.Sprintf("%.2f", v.Precision), fmt.Sprintf("%.2f", v.Recall); p != tc.precision || r != tc.recall {
				t.Errorf("precision %s recall %s, want %s and %s", p, r, tc.precision, tc.recall)
			}
			if !slices.Equal(v.Wrong, keys(tc.wrong)) || !slices.Equal(v.Missed, keys(tc.missed)) {
				t.Errorf("wrong %v missed %v, want %q and %q", v.Wrong, v.Missed, tc.wrong, tc.missed)
			}
			if !strings.Contains(v.Reason, tc.reasonMention) || !strings.HasSuffix(v.Reason, ".") {
				t.Errorf("reason %q does not say %q", v.Reason, tc.reasonMention)
			}
		})
	}
}
