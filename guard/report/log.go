package report

import (
	"encoding/json"
	"log/slog"
	"strings"
)

// LogValue returns the report as a group for [log/slog]. The group of a refusal begins with
// the first cause and the command of the first fix.
func (r Report) LogValue() slog.Value {
	var attrs []slog.Attr
	if len(r.Causes) > 0 {
		attrs = append(attrs, slog.String("cause", r.Causes[0].line()))
	}
	if fix := r.fixLine(); fix != "" {
		attrs = append(attrs, slog.String("fix", fix))
	}
	attrs = append(attrs, slog.String("subject", r.Subject), slog.Bool("ok", r.OK))
	if r.Via != "" {
		attrs = append(attrs, slog.String("via", r.Via))
	}
	if !r.OK {
		attrs = append(attrs, slog.String("error", r.Error), slog.Any("causes", causes(r.Causes)), slog.Any("fixes", fixes(r.Fixes)))
	}
	return slog.GroupValue(attrs...)
}

// In a log of text, causes and fixes are their ids; in one of JSON they are whole.
type (
	causes []Cause
	fixes  []Fix
)

func (all causes) MarshalText() ([]byte, error) {
	var ids []string
	for _, c := range all {
		ids = append(ids, c.ID)
	}
	return []byte(strings.Join(ids, ", ")), nil
}

func (all fixes) MarshalText() ([]byte, error) {
	var ids []string
	for _, f := range all {
		ids = append(ids, f.ID)
	}
	return []byte(strings.Join(ids, ", ")), nil
}

func (all causes) MarshalJSON() ([]byte, error) { return json.Marshal([]Cause(all)) }
func (all fixes) MarshalJSON() ([]byte, error)  { return json.Marshal([]Fix(all)) }
