package neo4j

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestStatementsHoldNoData reads the package's source: each statement is a constant
// without a literal text in it, and nothing but a migration becomes one otherwise.
func TestStatementsHoldNoData(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch x := node.(type) {
			case *ast.CallExpr:
				if fun, ok := x.Fun.(*ast.Ident); ok && fun.Name == "cypher" {
					t.Errorf("%s: a statement is converted from something that is not constant", f.Name())
				}
			case *ast.GenDecl:
				if f.Name() == "cypher.go" && x.Tok == token.VAR {
					t.Errorf("a statement could be changed")
				}
			case *ast.BasicLit:
				if f.Name() != "cypher.go" || x.Kind != token.STRING {
					break
				}
				text, err := strconv.Unquote(x.Value)
				if err != nil {
					t.Fatal(err)
				}
				n++
				if strings.ContainsAny(text, "'\"") || strings.Contains(text, "`") {
					t.Errorf("a statement holds a literal: %s", text)
				}
			}
			return true
		})
	}
	if n < 25 {
		t.Errorf("only %d statements were looked at", n)
	}
}
