// Package gnmi shows a Gateway by gNMI 0.10: Capabilities, Get, Set and Subscribe over
// gRPC, with TLS or in the clear, and gRPC reflection. Samples are taken on the
// Gateway's simulated clock.
//
// The target of a path prefix is an element, which then answers for what it speaks
// for; the Gateway's own name, "*" or no target means the whole network.
package gnmi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"faultline/hwsim/serve"
)

// Options of New. Times are of the simulated clock.
type Options struct {
	Gateway *serve.Gateway
	Name    string        // target that means the whole network; "" means "plant"
	TLS     *tls.Config   // nil serves in the clear
	Min     time.Duration // shortest sample interval; 0 means 100 ms
	Detect  time.Duration // how often ON_CHANGE looks between alarm events; 0 means 1 s
	// Adaptive sampling of TARGET_DEFINED: every Slow while all is calm, every Fast
	// from a trigger until Calm has passed without one. 0 means 60 s, 5 s, 5 min.
	Slow, Fast, Calm time.Duration
	Queue            int // messages that a slow subscriber may fall behind; 0 means 10000
}

// Server is the gNMI face of a Gateway. It is safe for concurrent use.
type Server struct {
	gpb.UnimplementedGNMIServer
	o Options
	g *serve.Gateway
}

// New checks the options.
func New(o Options) (*Server, error) {
	if o.Gateway == nil {
		return nil, fmt.Errorf("gnmi options: Gateway missing")
	}
	for _, d := range []struct {
		name string
		v    *time.Duration
		std  time.Duration
	}{
		{"Min", &o.Min, 100 * time.Millisecond}, {"Detect", &o.Detect, time.Second}, {"Slow", &o.Slow, time.Minute}, {"Fast", &o.Fast, 5 * time.Second}, {"Calm", &o.Calm, 5 * time.Minute},
	} {
		if *d.v < 0 {
			return nil, fmt.Errorf("gnmi options: %s %v is negative", d.name, *d.v)
		}
		*d.v = cmp.Or(*d.v, d.std)
	}
	if o.Queue < 0 {
		return nil, fmt.Errorf("gnmi options: Queue %d is negative", o.Queue)
	}
	o.Name, o.Queue = cmp.Or(o.Name, "plant"), cmp.Or(o.Queue, 10000)
	return &Server{o: o, g: o.Gateway}, nil
}

// Serve answers on a listener, which it closes, until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	opts := []grpc.ServerOption{grpc.WaitForHandlers(true)}
	if s.o.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(s.o.TLS)))
	}
	srv := grpc.NewServer(opts...)
	gpb.RegisterGNMIServer(srv, s)
	reflection.Register(srv)
	stop := context.AfterFunc(ctx, srv.Stop)
	defer stop()
	err := srv.Serve(l)
	srv.Stop() // waits for the handlers
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve gnmi: %w", err)
	}
	return nil
}

var models = []*gpb.ModelData{
	{Name: "openconfig-alarms", Organization: "OpenConfig working group", Version: "0.3.2"},
	{Name: "openconfig-interfaces", Organization: "OpenConfig working group", Version: "3.0.0"},
	{Name: "openconfig-platform", Organization: "OpenConfig working group", Version: "0.23.0"},
	{Name: "openconfig-platform-transceiver", Organization: "OpenConfig working group", Version: "0.9.0"},
	{Name: "openconfig-terminal-device", Organization: "OpenConfig working group", Version: "1.9.0"},
	{Name: "faultline-plant", Organization: "Faultline", Version: "1.0.0"},
}

var encodings = []gpb.Encoding{gpb.Encoding_JSON, gpb.Encoding_PROTO, gpb.Encoding_JSON_IETF}

// Capabilities tells models, encodings and the version of gNMI.
func (s *Server) Capabilities(context.Context, *gpb.CapabilityRequest) (*gpb.CapabilityResponse, error) {
	return &gpb.CapabilityResponse{SupportedModels: models, SupportedEncodings: encodings, GNMIVersion: "0.10.0"}, nil
}

// supported refuses encodings and models that are not among the capabilities.
func supported(enc gpb.Encoding, use []*gpb.ModelData) error {
	if !slices.Contains(encodings, enc) {
		return status.Errorf(codes.Unimplemented, "encoding %s is not supported", enc)
	}
	for _, u := range use {
		if !slices.ContainsFunc(models, func(m *gpb.ModelData) bool { return m.Name == u.GetName() }) {
			return status.Errorf(codes.Unimplemented, "model %q is not supported", u.GetName())
		}
	}
	return nil
}

// fail gives an error of the Gateway its gRPC code.
func fail(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	code := codes.InvalidArgument
	switch {
	case errors.Is(err, serve.ErrUnknownPath):
		code = codes.NotFound
	case errors.Is(err, serve.ErrUnreachable):
		code = codes.Unavailable
	case errors.Is(err, serve.ErrLocked):
		code = codes.FailedPrecondition
	}
	return status.Error(code, err.Error())
}

// query joins prefix and path into a query. A key must be the one that a list has.
func (s *Server) query(prefix, p *gpb.Path) (serve.Query, error) {
	var q serve.Query
	switch t := cmp.Or(prefix.GetTarget(), s.o.Name); t {
	case s.o.Name, "*":
	default:
		if _, ok := s.g.Network().Resource(t); !ok {
			return q, status.Errorf(codes.NotFound, "target %q: no such element", t)
		}
		q.Agent = t
	}
	for _, part := range []*gpb.Path{prefix, p} {
		if o := part.GetOrigin(); o != "" && o != "openconfig" && o != "faultline" {
			return q, status.Errorf(codes.InvalidArgument, "origin %q is not supported", o)
		}
		if len(part.GetElement()) > 0 && len(part.GetElem()) == 0 { //nolint:staticcheck // the field of gNMI 0.3 is refused, not used
			return q, status.Error(codes.InvalidArgument, "path element: use elem")
		}
		for _, e := range part.GetElem() {
			if len(e.GetKey()) > 1 {
				return q, status.Errorf(codes.InvalidArgument, "path element %s: more than one key", e.GetName())
			}
			elem := serve.Elem{Name: e.GetName()}
			for k, v := range e.GetKey() {
				elem.Key, elem.Value = k, v
			}
			q.Pattern = append(q.Pattern, elem)
		}
	}
	return q, nil
}

// wire is a path as it is sent.
func wire(p serve.Path) *gpb.Path {
	out := &gpb.Path{}
	for _, e := range p {
		pe := &gpb.PathElem{Name: e.Name}
		if e.Key != "" {
			pe.Key = map[string]string{e.Key: e.Value}
		}
		out.Elem = append(out.Elem, pe)
	}
	return out
}

// answering is the prefix of an answer: it names the target that was asked.
func answering(asked *gpb.Path) *gpb.Path {
	if asked.GetTarget() == "" && asked.GetOrigin() == "" {
		return nil
	}
	return &gpb.Path{Target: asked.GetTarget(), Origin: asked.GetOrigin()}
}
