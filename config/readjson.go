package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"unicode/utf8"
)

// lines finds the line of an offset in a text.
type lines []int // offsets of the line feeds

// linesOf prepares data for at.
func linesOf(data []byte) lines {
	var l lines
	for i, b := range data {
		if b == '\n' {
			l = append(l, i)
		}
	}
	return l
}

// at returns the line of an offset, from 1.
func (l lines) at(offset int64) int { return 1 + sort.SearchInts(l, int(offset)) }

// place returns line and column of an offset in data, from 1; columns are
// counted in characters.
func (l lines) place(data []byte, offset int64) (line, column int) {
	line = l.at(offset)
	begin := 0
	if line > 1 {
		begin = l[line-2] + 1
	}
	return line, 1 + utf8.RuneCount(data[begin:offset])
}

// readJSON reads one JSON value and nothing else.
func readJSON(data []byte) (*node, error) {
	l := linesOf(data)
	var probe json.RawMessage // checks syntax and depth at once
	if err := json.Unmarshal(data, &probe); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line, column := l.place(data, max(0, syntax.Offset-1))
			return nil, fmt.Errorf("%w (line %d, column %d)", err, line, column)
		}
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	r := jsonReader{d, l}
	return r.value()
}

// jsonReader builds nodes from the tokens of a text that is known to be JSON.
type jsonReader struct {
	*json.Decoder
	lines lines
}

// value reads one value.
func (r jsonReader) value() (*node, error) {
	t, err := r.Token()
	if err != nil {
		return nil, err
	}
	line := r.lines.at(r.InputOffset() - 1)
	switch t := t.(type) {
	case bool:
		return &node{kind: kindBool, truth: t, line: line}, nil
	case string:
		return &node{kind: kindText, text: t, line: line}, nil
	case json.Number:
		f, _ := strconv.ParseFloat(string(t), 64) // out of range is infinite, as in JavaScript
		return &node{kind: kindNumber, number: f, line: line}, nil
	case json.Delim:
		if t == '[' {
			return r.list(line)
		}
		return r.object(line)
	}
	return &node{kind: kindNull, line: line}, nil
}

// list reads the rest of an array.
func (r jsonReader) list(line int) (*node, error) {
	n := &node{kind: kindList, line: line}
	for r.More() {
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := r.Token()
	return n, err
}

// object reads the rest of an object.
func (r jsonReader) object(line int) (*node, error) {
	n := object(line)
	for r.More() {
		name, err := r.Token()
		if err != nil {
			return nil, err
		}
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		n.set(name.(string), item) // the decoder lets nothing else pass
	}
	_, err := r.Token()
	return n, err
}
