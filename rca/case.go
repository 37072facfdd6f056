package rca

import (
	"fmt"
	"time"

	"faultline/graph"
)

// Incident is a set of alarms that belong together: the question.
type Incident struct {
	ID       string     `json:"id"`     // stable: derived from its first alarm
	Name     string     `json:"name"`   // for people
	Alarms   []Alarm    `json:"alarms"` // by raise time, then key
	First    time.Time  `json:"first"`
	Last     time.Time  `json:"last"` // last raise
	Severity Severity   `json:"severity"`
	Domains  []string   `json:"domains"` // sorted
	Sites    []graph.ID `json:"sites,omitempty"`
	Planned  bool       `json:"planned,omitempty"` // every alarm lies in planned work
	Links    []Link     `json:"links,omitempty"`   // why alarms were put together
}

// Link is one reason to put two alarms of an incident together.
type Link struct {
	A      AlarmKey `json:"a"`
	B      AlarmKey `json:"b"`
	Reason string   `json:"reason"` // edge id, or "same fault mode X at Y"
}

// EvidenceKind says what an evidence item is.
type EvidenceKind string

// Kinds of evidence.
const (
	EvidenceAlarm     EvidenceKind = "alarm"      // an observed alarm
	EvidenceMissing   EvidenceKind = "missing"    // an expected alarm that was not seen
	EvidenceKnowledge EvidenceKind = "knowledge"  // a causal edge with its source
	EvidenceDocument  EvidenceKind = "document"   // a passage of a manual
	EvidenceWorkOrder EvidenceKind = "work-order" // a past ticket
	EvidenceCase      EvidenceKind = "case"       // a past analysis
	EvidenceChange    EvidenceKind = "change"     // planned work or a configuration change
	EvidenceTopology  EvidenceKind = "topology"   // a fact of the resource layer
)

// Evidence is one fact with its source: an entry of the ledger that answers cite.
type Evidence struct {
	ID     string       `json:"id"` // unique within a case, for example "E12"
	Kind   EvidenceKind `json:"kind"`
	Text   string       `json:"text"`
	Source string       `json:"source"` // where it can be looked up: document and anchor, ticket id, alarm id, edge id
	Weight float64      `json:"weight"` // signed log-likelihood contribution or retrieval score
	About  []graph.ID   `json:"about,omitempty"`
	Why    string       `json:"why,omitempty"` // how it was found
}

// Suspect is a candidate cause before ranking.
type Suspect struct {
	Mode     string   `json:"mode"` // fault mode id
	Resource graph.ID `json:"resource"`
	Prior    float64  `json:"prior"` // relative weight; 1 is neutral
	Reason   string   `json:"reason,omitempty"`
}

// Scope is the scoping agent's answer: where the fault can lie.
type Scope struct {
	Domain    string             `json:"domain"`           // most likely owner
	Scores    map[string]float64 `json:"scores"`           // share of belief per domain
	Resources int                `json:"resources"`        // in the blast radius
	Impact    []graph.ID         `json:"impact,omitempty"` // services and customer groups reached
	Note      string             `json:"note,omitempty"`
}

// PathEdge is one step of a propagation path, between two observed alarms or from
// the root (From.Type is then the fault mode).
type PathEdge struct {
	From   AlarmKey      `json:"from"`
	To     AlarmKey      `json:"to"`
	Edge   string        `json:"edge"` // ids of the causal edges, joined by "," where an unseen alarm lies between
	Grade  string        `json:"grade"`
	Lag    time.Duration `json:"lag_ns"`
	P      float64       `json:"p"`
	Source string        `json:"source"`
}

// UnknownMode is the fault mode of the hypothesis that no known cause explains the alarms.
const UnknownMode = "unknown"

// Hypothesis is one ranked answer.
type Hypothesis struct {
	Mode       string     `json:"mode"`
	Name       string     `json:"name"`
	Resource   graph.ID   `json:"resource"`
	Domain     string     `json:"domain"`
	Score      float64    `json:"score"`      // log score; higher is better
	Confidence float64    `json:"confidence"` // calibrated probability
	Explains   int        `json:"explains"`   // observed alarms explained
	Of         int        `json:"of"`         // observed alarms in question
	Path       []PathEdge `json:"path,omitempty"`
	For        []Evidence `json:"for,omitempty"`
	Against    []Evidence `json:"against,omitempty"`
	Missing    []AlarmKey `json:"missing,omitempty"` // expected, observable and not seen
}

// Cause is a root cause in a set, when an incident has several independent ones.
type Cause struct {
	Mode       string   `json:"mode"`
	Resource   graph.ID `json:"resource"`
	Confidence float64  `json:"confidence"`
}

// Decision is the answer: the ranked hypotheses and what to do.
type Decision struct {
	Determined  bool         `json:"determined"` // false: "cannot be determined", see Reason and Next
	Reason      string       `json:"reason"`
	Hypotheses  []Hypothesis `json:"hypotheses"`       // best first
	Causes      []Cause      `json:"causes,omitempty"` // the independent roots when there is more than one
	Unexplained []AlarmKey   `json:"unexplained,omitempty"`
	Next        string       `json:"next,omitempty"` // the observation with the largest expected information gain
	Action      *Action      `json:"action,omitempty"`
}

// Action is a remedy for one resource.
type Action struct {
	Kind      string   `json:"kind"`
	Resource  graph.ID `json:"resource"`
	Mode      string   `json:"mode"`
	Procedure string   `json:"procedure"`
	Risk      string   `json:"risk"`
	Steps     []Step   `json:"steps,omitempty"`
}

// Prediction is what the twin expects of an action.
type Prediction struct {
	Cleared   []AlarmKey    `json:"cleared"` // alarms that should clear, by key
	Remaining []AlarmKey    `json:"remaining,omitempty"`
	Restored  []graph.ID    `json:"restored"`            // services, cells and customer groups
	Disturbed []graph.ID    `json:"disturbed,omitempty"` // touched by the work itself
	Risk      string        `json:"risk"`
	Rollback  string        `json:"rollback,omitempty"`
	DataAge   time.Duration `json:"data_age_ns"`
	Note      string        `json:"note,omitempty"`
}

// Observation is what the network showed after an action.
type Observation struct {
	At       time.Time  `json:"at"`
	Cleared  []AlarmKey `json:"cleared"`
	Standing []AlarmKey `json:"standing"`
	Raised   []AlarmKey `json:"raised,omitempty"`
}

// Verdict compares prediction and observation.
type Verdict struct {
	Confirmed bool       `json:"confirmed"`
	Precision float64    `json:"precision"` // of the predicted clears
	Recall    float64    `json:"recall"`
	Wrong     []AlarmKey `json:"wrong,omitempty"`  // predicted to clear, still standing
	Missed    []AlarmKey `json:"missed,omitempty"` // cleared without having been predicted
	Reason    string     `json:"reason"`
}

// TrailEntry is one recorded step of an analysis: data, not a log line.
type TrailEntry struct {
	Step string `json:"step"`
	Note string `json:"note"`
}

// Note records one step of the analysis.
func (c *Case) Note(step, format string, args ...any) {
	c.Trail = append(c.Trail, TrailEntry{Step: step, Note: fmt.Sprintf(format, args...)})
}

// Case is the record that travels down the pipeline, is stored, shown and replayed.
type Case struct {
	ID         string       `json:"id"`
	Incident   Incident     `json:"incident"`
	Evidence   []Evidence   `json:"evidence,omitempty"`
	Scope      Scope        `json:"scope"`
	Suspects   []Suspect    `json:"suspects,omitempty"`
	Decision   Decision     `json:"decision"`
	Prediction *Prediction  `json:"prediction,omitempty"`
	Verdict    *Verdict     `json:"verdict,omitempty"`
	Trail      []TrailEntry `json:"trail,omitempty"`
	AnalysedAt time.Time    `json:"analysed_at"`
}
