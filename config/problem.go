package config

import "fmt"

// Severity says whether a problem keeps the configuration from being used.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Problem is one thing that is wrong in a configuration, where, and what to do.
type Problem struct {
	Path     string   `json:"path"`            // members and indexes joined by dots; empty is the whole file
	Line     int      `json:"line,omitempty"`  // in the file, from 1; 0 when unknown
	Value    string   `json:"value,omitempty"` // as configured, secrets masked
	Message  string   `json:"message"`         // what is wrong; in strict mode v3.1.0's own words
	Hint     string   `json:"hint,omitempty"`  // what to do
	Code     string   `json:"code,omitempty"`  // v3.1.0's code, where it has one
	Severity Severity `json:"severity"`
}

// Report is everything that was found in a configuration, in its order.
type Report []Problem

// Errors returns the problems of SeverityError.
func (r Report) Errors() Report { return r.only(SeverityError) }

// Warnings returns the problems of SeverityWarning.
func (r Report) Warnings() Report { return r.only(SeverityWarning) }

// only returns the problems of one severity.
func (r Report) only(s Severity) Report {
	var out Report
	for _, p := range r {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}

// Err returns nil when nothing is an error, else an *InvalidError.
func (r Report) Err() error {
	if errs := r.Errors(); len(errs) > 0 {
		return &InvalidError{Problems: errs}
	}
	return nil
}

// InvalidError says that a configuration cannot be used, and every reason.
type InvalidError struct{ Problems Report }

// Error is what v3.1.0 prints: one line by problem. What it throws with a
// code of its own stands alone.
func (e *InvalidError) Error() string {
	if len(e.Problems) == 1 && e.Problems[0].Code != "" {
		return e.Problems[0].Message
	}
	s := "Configuration validation failed:"
	for _, p := range e.Problems {
		s += "\n"
		if p.Path != "" {
			s += p.Path + ": "
		}
		s += p.Message
	}
	return s
}

// String is the problem for people: where, what, the value, what to do.
func (p Problem) String() string {
	s := string(p.Severity) + ": "
	if p.Line > 0 {
		s += fmt.Sprintf("line %d: ", p.Line)
	}
	if p.Path != "" {
		s += p.Path + ": "
	}
	s += p.Message
	if p.Value != "" {
		s += " (is " + p.Value + ")"
	}
	if p.Hint != "" {
		s += "\n    " + p.Hint
	}
	return s
}
