package rca

import (
	"fmt"
	"time"

	"faultline/graph"
)

// Feedback is a person's verdict on an analysis: whether Mode at Resource was the
// cause. It is bound to one version of the case, so a later analysis is unrated
// until someone judges it again.
type Feedback struct {
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Version  int       `json:"version"` // of the case that was judged; from 1
	Mode     string    `json:"mode"`    // fault mode id
	Resource graph.ID  `json:"resource,omitempty"`
	Right    bool      `json:"right"`
	Note     string    `json:"note,omitempty"`
}

// Validate names the first missing field, wrapped in ErrInvalid.
func (f Feedback) Validate() error {
	bad := func(field string) error { return fmt.Errorf("feedback: %s: missing: %w", field, ErrInvalid) }
	switch {
	case f.By == "":
		return bad("by")
	case f.At.IsZero():
		return bad("at")
	case f.Version < 1:
		return bad("version")
	case f.Mode == "":
		return bad("mode")
	case f.Resource == "" && f.Mode != UnknownMode:
		return bad("resource")
	}
	return nil
}

// KeptCase is a case as it is remembered.
type KeptCase struct {
	Case     Case       `json:"case"`
	Version  int        `json:"version"`            // counts the different analyses of the incident, from 1
	Feedback []Feedback `json:"feedback,omitempty"` // by (version, by); those of earlier versions included
}

// Rated reports whether a person judged the present version.
func (k KeptCase) Rated() bool {
	for _, f := range k.Feedback {
		if f.Version == k.Version {
			return true
		}
	}
	return false
}
