// Package verify holds a prediction of the twin against what the network showed.
// It is arithmetic on sets of alarm keys: no clock, no network, no opinion.
package verify

import (
	"fmt"
	"slices"
	"strings"

	"faultline/rca"
)

// Compare judges a prediction by an observation. An alarm that both cleared and
// stands was raised again: it counts as standing. A predicted clear that was seen
// neither way is left out of both ratios.
//
//	precision = predicted clears that happened / predicted clears that were seen either way
//	recall    = predicted clears that happened / all clears that happened
//
// A ratio of nothing is 0. The prediction is confirmed when at least one predicted
// clear happened, none stands, no more went unseen than happened, and no alarm was
// newly raised. Clears that nobody predicted are listed as missed but refute
// nothing. A new alarm does not refute when the prediction lists it as remaining,
// or when it came on a resource that the work disturbs and is gone again.
func Compare(p rca.Prediction, o rca.Observation) rca.Verdict {
	predicted, cleared, standing, raised := set(p.Cleared), set(o.Cleared), set(o.Standing), set(o.Raised)
	for k := range standing {
		delete(cleared, k)
	}
	var v rca.Verdict
	var hits, unseen int
	for k := range predicted {
		switch {
		case standing[k]:
			v.Wrong = append(v.Wrong, k)
		case cleared[k]:
			hits++
		default:
			unseen++
		}
	}
	for k := range cleared {
		if !predicted[k] && !raised[k] {
			v.Missed = append(v.Missed, k)
		}
	}
	var fresh []rca.AlarmKey
	for k := range raised {
		passing := cleared[k] && slices.Contains(p.Disturbed, k.Resource)
		// A predicted clear that came back is judged as standing above.
		if !predicted[k] && !passing && !slices.Contains(p.Remaining, k) {
			fresh = append(fresh, k)
		}
	}
	for _, list := range [][]rca.AlarmKey{v.Wrong, v.Missed, fresh} {
		slices.SortFunc(list, rca.AlarmKey.Compare)
	}
	v.Precision = ratio(hits, hits+len(v.Wrong))
	v.Recall = ratio(hits, hits+len(v.Missed))
	v.Confirmed = hits > 0 && unseen <= hits && len(v.Wrong) == 0 && len(fresh) == 0
	v.Reason = reason(len(predicted), hits, unseen, v, fresh)
	return v
}

func reason(predicted, hits, unseen int, v rca.Verdict, fresh []rca.AlarmKey) string {
	if predicted == 0 && len(fresh) == 0 {
		return fmt.Sprintf("No alarm was predicted to clear, so there is nothing to confirm%s.", also(len(v.Missed), "cleared all the same"))
	}
	var parts []string
	if predicted > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d predicted clears happened", hits, predicted))
	}
	for _, x := range []struct {
		list []rca.AlarmKey
		text string
	}{{v.Wrong, "still stand"}, {fresh, "were newly raised"}} {
		if len(x.list) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s, first %s", len(x.list), x.text, x.list[0]))
		}
	}
	if unseen > 0 {
		parts = append(parts, fmt.Sprintf("%d were not observed", unseen))
	}
	if len(v.Missed) > 0 {
		parts = append(parts, fmt.Sprintf("%d cleared without prediction", len(v.Missed)))
	}
	verdict := "Not confirmed"
	if v.Confirmed {
		verdict = "Confirmed"
	} else if len(v.Wrong)+len(fresh) > 0 {
		verdict = "Refuted"
	}
	return verdict + ": " + strings.Join(parts, "; ") + "."
}

func also(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d %s", n, what)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func set(keys []rca.AlarmKey) map[rca.AlarmKey]bool {
	m := make(map[rca.AlarmKey]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}
