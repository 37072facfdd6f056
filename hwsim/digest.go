package hwsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Digest names the plant's state: clock, variables, waiting events, faults, alarms and
// notifications on their way. Plants of one network with equal digests go on alike.
func (p *Plant) Digest() string {
	h := sha256.New()
	fmt.Fprintln(h, p.o.Seed, p.o.Start, p.o.Noise, p.o.Ideal, p.now, p.seq, p.said, p.faults)
	for _, k := range sortedByKey(p.cells) {
		fmt.Fprintln(h, k, p.cells[k])
	}
	for _, k := range sortedByKey(p.standing) {
		fmt.Fprintln(h, k, *p.standing[k])
	}
	events := slices.Clone(p.events)
	slices.SortFunc(events, func(a, b event) int { return cmp.Compare(a.seq, b.seq) })
	fmt.Fprintln(h, events, p.occurrences, len(p.nodes))
	out := slices.Clone(p.outbox)
	slices.SortFunc(out, func(a, b Notification) int { return cmp.Compare(a.Seq, b.Seq) })
	fmt.Fprintln(h, out)
	return hex.EncodeToString(h.Sum(nil))
}

func sortedByKey[V any](m map[key]V) []key {
	keys := make([]key, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.res, b.res), cmp.Compare(a.v, b.v)) })
	return keys
}
