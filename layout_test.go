// Package faultline_test holds the rules of the tree: every package says once what
// it is for, and imports only what the map of packages allows.
package faultline_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rule says what production files of a package may import: packages of ours, and
// modules from outside by prefix. The standard library is always allowed.
type rule struct{ ours, outside []string }

func may(ours string, outside ...string) rule { return rule{strings.Fields(ours), outside} }

// layers is the map of packages; docs/packages.md explains it. A package that is not
// here fails the test.
var layers = map[string]rule{
	// Vocabulary.
	"graph":      may(""),
	"hwsim":      may(""),
	"migrations": may(""),
	"rca":        may("graph"),

	// Steps: they know each other only through the vocabulary.
	"graph/walk":         may("graph"),
	"ingest":             may("rca graph"),
	"ingest/correlate":   may("rca graph graph/walk"),
	"ingest/mining":      may("rca graph", "gonum.org/v1/gonum"),
	"retrieval":          may("rca graph"),
	"agents":             may("rca graph"),
	"agents/scope":       may("agents rca graph graph/walk"),
	"agents/localize":    may("agents rca graph graph/walk"),
	"rca/ontology":       may("rca graph"),
	"rca/reason":         may("rca graph graph/walk"),
	"rca/verify":         may("rca"),
	"rca/memory":         may("rca graph"),
	"rca/pipeline":       may("rca graph"),
	"hwsim/operator":     may("hwsim"),
	"hwsim/physics":      may(""),
	"hwsim/otdr":         may(""),
	"hwsim/fault":        may("hwsim"),
	"hwsim/backoffice":   may("hwsim"),
	"hwsim/twin":         may("hwsim graph rca"), // never hwsim/fault: the twin does not know what broke
	"graph/graphtest":    may("graph"),
	"rca/rcatest":        may("rca graph"),
	"ingest/alarmfile":   may("ingest rca graph"),
	"ingest/ves":         may("ingest rca graph"),
	"ingest/inventory":   may("ingest rca graph"),
	"ingest/workorder":   may("ingest rca graph"),
	"ingest/manual":      may("ingest rca graph", "github.com/yuin/goldmark", "golang.org/x/net/html", "gopkg.in/yaml.v3", "github.com/JohannesKaufmann/html-to-markdown"),
	"graph/embedded":     may("graph", "modernc.org/sqlite", "github.com/pressly/goose"),
	"graph/neo4j":        may("graph", "github.com/neo4j/neo4j-go-driver/v5"),
	"graph/transfer":     may("graph"),
	"retrieval/embedded": may("retrieval graph graph/walk rca", "github.com/kljensen/snowball"),
	"web":                may("rca graph", "github.com/go-chi/chi", "github.com/rs/zerolog"),
	"web/rest":           may("web rca graph", "github.com/go-chi/chi", "github.com/rs/zerolog"),

	// The plant's management world and its protocols.
	"hwsim/serve":           may("hwsim"),
	"hwsim/serve/servetest": may("hwsim hwsim/serve"),
	"hwsim/serve/gnmi":      may("hwsim hwsim/serve", "github.com/openconfig/gnmi", "google.golang.org/grpc"),
	"hwsim/serve/netconf":   may("hwsim hwsim/serve", "golang.org/x/crypto/ssh"),
	"hwsim/serve/snmp":      may("hwsim hwsim/serve", "github.com/gosnmp/gosnmp"),
	"hwsim/serve/ves":       may("hwsim hwsim/serve"),
	"hwsim/serve/syslog":    may("hwsim hwsim/serve"),

	// Wiring: the only place that names implementations.
	"cmd/internal/app":   {ours: []string{"*"}, outside: []string{"github.com/rs/zerolog"}},
	"cmd/internal/plant": may("hwsim hwsim/fault hwsim/operator hwsim/backoffice"),
	"cmd/faultline":      may("cmd/internal/app cmd/internal/plant graph rca ingest", "github.com/spf13/cobra", "github.com/vbauerster/mpb", "github.com/rs/zerolog", "golang.org/x/term"),
	"cmd/hwsim":          may("cmd/internal/plant hwsim", "github.com/spf13/cobra"),
	"cmd/rcabench":       may("cmd/internal/app cmd/internal/plant graph graph/walk rca rca/rcatest hwsim hwsim/fault hwsim/operator hwsim/otdr ingest ingest/mining ingest/correlate retrieval retrieval/embedded"),
}

// forbidden edges hold even where a rule says "*".
var forbidden = map[[2]string]string{
	{"cmd/internal/app", "hwsim/fault"}:      "ground truth reaches evaluation only",
	{"cmd/internal/app", "hwsim/backoffice"}: "the product reads files, not their author",
	{"cmd/internal/app", "hwsim/operator"}:   "the product reads an inventory, not its author",
	{"cmd/internal/app", "rca/rcatest"}:      "test code stays in tests",
}

// TestTruthStaysOut holds the wall that everything rests on: nothing that analyses can
// reach what really broke, not even through another package.
func TestTruthStaysOut(t *testing.T) {
	for _, p := range []string{"cmd/internal/app", "hwsim/twin"} {
		out, err := exec.Command("go", "list", "-deps", "faultline/"+p).Output()
		if err != nil {
			t.Fatalf("list what %s is built of: %v", p, err)
		}
		for _, dep := range strings.Fields(string(out)) {
			switch dep {
			case "faultline/hwsim/fault", "faultline/hwsim/backoffice", "faultline/hwsim/operator", "faultline/cmd/internal/plant", "faultline/rca/rcatest":
				t.Errorf("%s is built of %s, which knows the truth", p, dep)
			}
		}
	}
}

type listed struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Imports      []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportsFollowTheMap(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, "faultline/")
		if len(p.GoFiles) == 0 {
			continue // the root, which holds this test alone
		}
		r, ok := layers[name]
		if !ok {
			t.Errorf("package %s is not in the map of packages", name)
			continue
		}
		for _, imp := range p.Imports {
			ours, isOurs := strings.CutPrefix(imp, "faultline/")
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case isOurs && forbidden[[2]string{name, ours}] != "":
				t.Errorf("%s imports %s: %s", name, ours, forbidden[[2]string{name, ours}])
			case isOurs:
				if !slices.Contains(r.ours, ours) && !slices.Contains(r.ours, "*") {
					t.Errorf("%s may not import %s", name, ours)
				}
			case strings.Contains(first, "."):
				if !slices.ContainsFunc(r.outside, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") }) {
					t.Errorf("%s may not import %s", name, imp)
				}
			}
		}
	}
}

func TestEveryPackageHasOneComment(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		var with []string
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			if file.Doc != nil {
				with = append(with, f)
			}
		}
		if len(with) != 1 {
			t.Errorf("%s: %d package comments, want one: %v", p.ImportPath, len(with), with)
		}
	}
}

func TestNoNamelessPackages(t *testing.T) {
	for _, p := range packages(t) {
		switch filepath.Base(p.ImportPath) {
		case "util", "utils", "common", "helpers", "types", "model", "misc":
			t.Errorf("%s: a package is named after what it is for", p.ImportPath)
		}
	}
}

func TestTestsDoNotSleep(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range append(slices.Clone(p.TestGoFiles), p.XTestGoFiles...) {
			src, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(src, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
						t.Errorf("%s/%s sleeps", p.ImportPath, f)
					}
				}
				return true
			})
		}
	}
}
