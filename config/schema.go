package config

import (
	"bytes"
	"encoding/json"
)

// envPattern is an ENV token in JSON Schema: a file is looked at by editors
// before its tokens are resolved.
const envPattern = `^ENV\.[A-Z0-9_]+$`

// Schema returns the JSON Schema of the lenient form, for editors and for
// other programs. It says what the values look like; what must hold between
// sections only Parse knows.
//
// https://json-schema.org/draft/2020-12
func Schema() []byte {
	root := xronoxShape().schema()
	properties := root["properties"].(map[string]any)
	properties["xronoxProxy"] = nullable(proxyShape().schema())
	inner := map[string]any{"type": "object", "properties": properties}
	outer := map[string]any{"xronox": map[string]any{
		"description": "The configuration of Xronox; members of the file itself count more.",
		// Xronox takes whatever else stands here for no wrapper at all.
		"if": map[string]any{"type": "object"}, "then": map[string]any{"$ref": "#/$defs/xronox"},
	}}
	for name := range properties {
		outer[name] = map[string]any{"$ref": "#/$defs/xronox/properties/" + name}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(map[string]any{
		"$schema":    "https://json-schema.org/draft/2020-12/schema",
		"title":      "Configuration of Xronox and xronox-proxy",
		"type":       "object",
		"properties": outer,
		"$defs":      map[string]any{"xronox": inner},
	}); err != nil {
		panic("BUG: config: the schema does not encode: " + err.Error())
	}
	return b.Bytes()
}

// nullable is s, or null: the lenient validator takes null for absent.
func nullable(s map[string]any) map[string]any {
	if len(s) == 0 {
		return s
	}
	out := map[string]any{"anyOf": []any{s, map[string]any{"type": "null"}}}
	if t, simple := s["type"].(string); simple {
		out = s
		out["type"] = []string{t, "null"}
	}
	return out
}

// schema implements shape.
func (boolShape) schema() map[string]any { return map[string]any{"type": "boolean"} }

// schema implements shape.
func (anyShape) schema() map[string]any { return map[string]any{} }

// schema implements shape.
func (s numberShape) schema() map[string]any {
	out := map[string]any{"type": "number", "minimum": s.min}
	if s.whole {
		out["type"] = "integer"
	}
	if s.max > 0 {
		out["maximum"] = s.max
	}
	if s.above {
		out["exclusiveMinimum"] = s.min
		delete(out, "minimum")
	}
	return out
}

// schema implements shape.
func (s textShape) schema() map[string]any {
	var one map[string]any
	switch {
	case s.enum != nil:
		one = map[string]any{"enum": s.enum}
	case s.rule != nil:
		one = map[string]any{"type": "string", "pattern": s.rule.pattern}
		if s.minMessage != "" {
			one["minLength"] = 1
		}
	case s.minMessage != "":
		return map[string]any{"type": "string", "minLength": 1}
	default:
		return map[string]any{"type": "string"}
	}
	return map[string]any{"anyOf": []any{one, map[string]any{"type": "string", "pattern": envPattern}}}
}

// schema implements shape.
func (s listShape) schema() map[string]any {
	out := map[string]any{"type": "array", "items": s.of.schema()}
	if s.minMessage != "" {
		out["minItems"] = 1
	}
	return out
}

// schema implements shape.
func (s mapShape) schema() map[string]any {
	out := map[string]any{"type": "object", "additionalProperties": nullable(s.of.schema())}
	if s.key != nil {
		out["propertyNames"] = map[string]any{"pattern": s.key.pattern}
	}
	return out
}

// schema implements shape. The whole form is there for editors to complete;
// the empty one beside it takes everything, as the lenient validator does.
func (s advisoryShape) schema() map[string]any {
	return map[string]any{"anyOf": []any{s.shape.schema(), map[string]any{}}}
}

// schema implements shape.
func (s objectShape) schema() map[string]any {
	properties, needed := map[string]any{}, []string{}
	for _, f := range s.fields {
		m := f.of.schema()
		if f.need == required && f.value == nil {
			needed = append(needed, f.name)
		} else {
			m = nullable(m)
		}
		if f.doc != "" {
			m["description"] = f.doc
		}
		properties[f.name] = m
	}
	out := map[string]any{"type": "object", "properties": properties}
	if len(needed) > 0 {
		out["required"] = needed
	}
	if s.closed {
		out["additionalProperties"] = false
	}
	if s.doc != "" {
		out["description"] = s.doc
	}
	return out
}
