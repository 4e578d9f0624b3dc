package caps

import (
	"errors"
	"testing"
)

func TestIAB(t *testing.T) {
	// Except for the numbers, what libcap 2.66 makes of a text.
	for text, want := range map[string]string{
		"":                             "",
		"cap_chown":                    "cap_chown",
		"%cap_chown":                   "cap_chown",
		"^cap_chown":                   "^cap_chown",
		"!cap_chown":                   "!cap_chown",
		"!^cap_chown":                  "!^cap_chown",
		"^!cap_chown":                  "!^cap_chown",
		"!%cap_chown":                  "!%cap_chown",
		"!!cap_chown":                  "!cap_chown",
		"%^cap_chown":                  "^cap_chown",
		"cap_chown,!cap_chown":         "!%cap_chown",
		"CAP_CHOWN":                    "cap_chown",
		"cap_chown,":                   "cap_chown",
		"0x0a":                         "cap_net_bind_service",
		"!%41,^63":                     "!%41,^63",
		"^cap_net_raw,!cap_chown,cap_": "",
	} {
		v, err := ParseIAB(text)
		if got := v.String(); got != want || (err != nil) != (text != "" && want == "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if !v.Inheritable.Contains(v.Ambient) {
			t.Errorf("%q: ambient but not inheritable", text)
		}
	}
	for text, offset := range map[string]int{"chown": 0, "64": 0, "cap_chown,,cap_kill": 10, ",": 0, " cap_chown": 0, "cap_chown ,cap_kill": 9, "all": 0, "^": 1, "cap_chown^": 9, "!cap_chwn": 1} {
		_, err := ParseIAB(text)
		if e := (*ParseError)(nil); !errors.As(err, &e) || e.Offset != offset {
			t.Errorf("%q: %v", text, err)
		}
	}
	s := State{Inheritable: SetOf(CHOWN, KILL), Ambient: SetOf(KILL), Bounding: UpTo(Last).Without(KILL)}
	if got := s.IAB(Last).String(); got != "cap_chown,!^cap_kill" {
		t.Error(got)
	}
}

func FuzzIAB(f *testing.F) {
	f.Add("!%41,^63,cap_chown")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseIAB(text)
		if err != nil {
			_ = err.Error()
			return
		}
		if again, err := ParseIAB(v.String()); err != nil || again != v {
			t.Errorf("%q: %+v, %v, want %+v", v, again, err, v)
		}
	})
}
