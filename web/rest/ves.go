package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"faultline/web"
)

const vesPath = "/eventListener/v7"

func (s *Service) vesRoutes() []route {
	return []route{
		{http.MethodPost, vesPath, s.ves("event")},
		{http.MethodPost, vesPath + "/eventBatch", s.ves("eventList")},
	}
}

// vesError is the body that ONAP VES collectors answer errors with.
type vesError struct {
	RequestError struct {
		ServiceException struct {
			MessageID string   `json:"messageId"`
			Text      string   `json:"text"`
			Variables []string `json:"variables"`
		} `json:"ServiceException"`
	} `json:"requestError"`
}

// ves takes a message that holds member and nothing else of the two. The schema of
// VES requires neither, so {} must be refused here. As with a collector, a batch of
// which any event is refused is refused; the sender may send it again, since an
// event that was taken before is taken once.
func (s *Service) ves(member string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("X-MinorVersion", "2")
		h.Set("X-PatchVersion", "1")
		h.Set("X-LatestVersion", "7.2.1")
		err := s.takeVES(r, member)
		if err == nil {
			w.WriteHeader(http.StatusAccepted)
			return nil
		}
		status, kind := web.StatusOf(err)
		var body vesError
		x := &body.RequestError.ServiceException
		x.Variables = []string{}
		switch status {
		case http.StatusBadRequest:
			x.MessageID, x.Text, x.Variables = "SVC0002", "Bad parameter: %1", []string{err.Error()}
		case http.StatusInternalServerError:
			return err // the plain form, since the log must have the cause
		default:
			x.MessageID, x.Text, x.Variables = "SVC1000", "No server resources: %1", []string{kind}
		}
		web.JSON(w, r, status, body)
		return nil
	}
}

func (s *Service) takeVES(r *http.Request, member string) error {
	if err := query(r).done(); err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		return web.FieldError{Field: "body", Reason: "incorrect JSON payload: " + err.Error()}
	}
	var faults []error
	for _, m := range []string{"event", "eventList"} {
		if _, there := parts[m]; there != (m == member) {
			faults = append(faults, web.FieldError{Field: m, Reason: map[bool]string{true: "does not belong to this path", false: "missing"}[there]})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	rep, err := s.o.Ingest.VES(r.Context(), "ves", body)
	if err != nil {
		return fmt.Errorf("take VES events in: %w", err)
	}
	if len(rep.Rejected) > 0 {
		return rejection(rep.Rejected)
	}
	return nil
}
