package caps

import "log/slog"

// AppendText appends the name of c. The error is always nil.
func (c Cap) AppendText(b []byte) ([]byte, error) { return c.append(b), nil }

// MarshalText returns the name of c, as [Cap.String] does.
func (c Cap) MarshalText() ([]byte, error) { return c.append(nil), nil }

// UnmarshalText reads what [ParseCap] reads.
func (c *Cap) UnmarshalText(text []byte) error { return set(c, ParseCap, string(text)) }

// Set reads what [ParseCap] reads; with it a *Cap is a [flag.Value].
func (c *Cap) Set(text string) error { return set(c, ParseCap, text) }

// AppendText appends the names of s, joined by commas. The error is always nil.
func (s Set) AppendText(b []byte) ([]byte, error) { return s.appendNames(b), nil }

// MarshalText returns the names of s, as [Set.String] does.
func (s Set) MarshalText() ([]byte, error) { return s.appendNames(nil), nil }

// UnmarshalText reads what [ParseSet] reads.
func (s *Set) UnmarshalText(text []byte) error { return set(s, ParseSet, string(text)) }

// Set reads what [ParseSet] reads; with it a *Set is a [flag.Value].
func (s *Set) Set(text string) error { return set(s, ParseSet, text) }

// MarshalText returns what [IAB.String] returns.
func (v IAB) MarshalText() ([]byte, error) { return v.AppendText(nil) }

// UnmarshalText reads what [ParseIAB] reads.
func (v *IAB) UnmarshalText(text []byte) error { return set(v, ParseIAB, string(text)) }

// set stores what parse makes of text, or leaves what was there.
func set[T any](to *T, parse func(string) (T, error), text string) error {
	v, err := parse(text)
	if err == nil {
		*to = v
	}
	return err
}

// LogValue is a group for [log/slog]: the effective set, the others that are not
// empty, and no_new_privs and securebits where set.
func (s State) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, a := range [...]struct {
		name string
		set  Set
	}{
		{"effective", s.Effective},
		{"permitted", s.Permitted},
		{"inheritable", s.Inheritable},
		{"bounding", s.Bounding},
		{"ambient", s.Ambient},
	} {
		if a.set != 0 || a.name == "effective" {
			attrs = append(attrs, slog.String(a.name, a.set.String()))
		}
	}
	if s.NoNewPrivs {
		attrs = append(attrs, slog.Bool("no_new_privs", true))
	}
	if s.Securebits != 0 {
		attrs = append(attrs, slog.String("securebits", s.Securebits.String()))
	}
	return slog.GroupValue(attrs...)
}
