package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Bounds on what YAML may grow to: its aliases can make much of little.
const (
	maxYAMLNodes = 200_000
	maxYAMLDepth = 200
)

// errEmpty says that there is nothing in a file but, perhaps, comments.
var errEmpty = errors.New("the file is empty")

// readYAML reads one YAML document. It means what the same JSON would mean:
// texts that look like dates stay texts, and a name that comes twice is an
// error. Anchors, aliases and merge keys work, within bounds.
func readYAML(data []byte) (*node, error) {
	l, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var doc, more yaml.Node
	if err := l.Load(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errEmpty
		}
		return nil, err
	}
	if err := l.Load(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("line %d: a second document; put everything into one", more.Line)
	}
	r := yamlReader{budget: maxYAMLNodes}
	return r.value(&doc, 0)
}

// yamlReader builds nodes from YAML, within its budget.
type yamlReader struct{ budget int }

// value converts one node.
func (r *yamlReader) value(y *yaml.Node, depth int) (*node, error) {
	if r.budget--; r.budget < 0 {
		return nil, fmt.Errorf("line %d: the aliases make this file too large", y.Line)
	}
	if depth > maxYAMLDepth {
		return nil, fmt.Errorf("line %d: nested too deeply", y.Line)
	}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) != 1 {
			return nil, errEmpty
		}
		return r.value(y.Content[0], depth+1)
	case yaml.AliasNode:
		return r.value(y.Alias, depth+1)
	case yaml.SequenceNode:
		n := &node{kind: kindList, line: y.Line}
		for _, c := range y.Content {
			item, err := r.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		return n, nil
	case yaml.MappingNode:
		return r.object(y, depth)
	case yaml.ScalarNode:
		return scalar(y)
	}
	return nil, fmt.Errorf("line %d: not a value", y.Line)
}

// object converts a mapping. Members of merged mappings (<<) stand back behind
// the mapping's own, those of later ones behind those of earlier ones.
func (r *yamlReader) object(y *yaml.Node, depth int) (*node, error) {
	n := object(y.Line)
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: a name must be a text", k.Line)
		}
		value, err := r.value(v, depth+1)
		if err != nil {
			return nil, err
		}
		if k.Value == "<<" && k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 {
			merged = append(merged, mergeList(value)...)
			continue
		}
		if _, ok := n.members[k.Value]; ok {
			return nil, fmt.Errorf("line %d: %q comes twice", k.Line, k.Value)
		}
		n.set(k.Value, value)
	}
	for _, m := range merged {
		if m.kind != kindObject {
			return nil, fmt.Errorf("line %d: << needs a mapping", m.line)
		}
		for _, name := range m.names {
			if _, ok := n.members[name]; !ok {
				n.set(name, m.members[name])
			}
		}
	}
	return n, nil
}

// mergeList is what a merge key merges: one mapping, or several.
func mergeList(n *node) []*node {
	if n.kind == kindList {
		return n.items
	}
	return []*node{n}
}

// scalar converts a scalar by its tag.
func scalar(y *yaml.Node) (*node, error) {
	n := &node{kind: kindText, text: y.Value, line: y.Line}
	var err error
	switch tag := y.ShortTag(); tag {
	case "!!str", "!!timestamp", "":
	case "!!null":
		n.kind = kindNull
	case "!!bool":
		n.kind, err = kindBool, y.Decode(&n.truth)
	case "!!int", "!!float":
		n.kind, err = kindNumber, y.Decode(&n.number)
	default:
		err = fmt.Errorf("line %d: the tag %s means nothing here", y.Line, strings.TrimSpace(tag))
	}
	if err == nil && n.number != n.number {
		err = fmt.Errorf("line %d: not a number", y.Line)
	}
	return n, err
}
