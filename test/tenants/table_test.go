package tenants

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"strconv"
	"strings"
	"testing"
)

// operation is a row of the server's table of operations.
type operation struct {
	name, method, scope, query, header, action string
	served                                     bool
}

// onObject reports whether the operation names a key.
func (o *operation) onObject() bool { return o.scope == "onObject" }

// inForm reports whether the operation is signed and told its key in a form, which a plain request is not: s3api's own
// tests of forms hold who may do what with one.
func (o *operation) inForm() bool { return o.scope == "onForm" }

// readOperations reads the table from the server's source: an operation that is
// added there is attacked here, without anybody having to think of it.
func readOperations(t testing.TB) []operation {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "../../s3api/ops.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ops []operation
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "operations" {
			return true
		}
		for _, row := range spec.Values[0].(*ast.CompositeLit).Elts {
			ops = append(ops, readRow(row.(*ast.CompositeLit).Elts))
		}
		return false
	})
	if len(ops) < 100 {
		t.Fatalf("found %d operations in the table", len(ops))
	}
	return ops
}

// readRow is one row: name, method, scope, query, header, action, handler.
func readRow(cells []ast.Expr) operation {
	text := func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.BasicLit:
			s, _ := strconv.Unquote(e.Value)
			return s
		case *ast.Ident:
			return e.Name
		case *ast.SelectorExpr:
			return strings.ToLower(e.Sel.Name)
		}
		return ""
	}
	return operation{
		name: text(cells[0]), method: text(cells[1]), scope: text(cells[2]), query: text(cells[3]),
		header: text(cells[4]), action: text(cells[5]), served: text(cells[6]) != "nil",
	}
}
