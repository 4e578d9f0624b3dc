package caps

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	s := State{Effective: SetOf(NET_BIND_SERVICE, 41), Bounding: ^Set(0), NoNewPrivs: true, Securebits: NoRoot}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"effective":["CAP_NET_BIND_SERVICE","41"],"bounding":["CAP_CHOWN",`; !strings.Contains(string(b), want) {
		t.Errorf("%s", b)
	}
	var again State
	if err := json.Unmarshal(b, &again); err != nil || again != s {
		t.Errorf("%+v, %v", again, err)
	}
	for _, text := range []string{`"CAP_CHOWN"`, `["CAP_CHWN"]`, `[10]`, `{}`, `1024`} {
		set := SetOf(KILL)
		if err := json.Unmarshal([]byte(text), &set); err == nil || set != SetOf(KILL) {
			t.Errorf("%s: %v, %v", text, set, err)
		}
	}
	var set Set
	if err := json.Unmarshal([]byte(`["ALL"]`), &set); err != nil || set != UpTo(Last) {
		t.Error(set, err)
	}
	var v IAB
	if err := json.Unmarshal([]byte(`"!^cap_chown"`), &v); err != nil || v.String() != "!^cap_chown" {
		t.Error(v, err)
	}
	byCap := map[Cap]Set{NET_RAW: SetOf(63)}
	if b, err := json.Marshal(byCap); err != nil || string(b) != `{"cap_net_raw":["63"]}` {
		t.Errorf("%s, %v", b, err)
	}
}

func TestLogValue(t *testing.T) {
	var b strings.Builder
	log := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	log.Info("x", "state", State{Effective: SetOf(NET_RAW, 41), NoNewPrivs: true, Securebits: KeepCaps | 1<<12}, "set", SetOf(CHOWN, 63), "none", State{})
	want := "level=INFO msg=x state.effective=cap_net_raw,41 state.no_new_privs=true state.securebits=keep_caps,0x1000 set=cap_chown,63 none.effective=\"\"\n"
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

// The text of a value is its String, by every way to it.
func TestMarshalText(t *testing.T) {
	type texts interface {
		String() string
		AppendText([]byte) ([]byte, error)
	}
	for _, v := range []texts{NET_RAW, Cap(63), SetOf(KILL, 50), Set(0), IAB{Ambient: 1, Inheritable: 3, Blocked: 2}, File{Permitted: 1}} {
		if b, err := v.AppendText([]byte("x")); err != nil || string(b) != "x"+v.String() {
			t.Errorf("%v: %s, %v", v, b, err)
		}
	}
	var c Cap
	var s Set
	if err := errors.Join(c.UnmarshalText([]byte("NET_RAW")), s.UnmarshalText([]byte("all"))); err != nil || c != NET_RAW || s != UpTo(Last) {
		t.Error(c, s, err)
	}
	if err := s.UnmarshalText([]byte("nonsense")); err == nil || s != UpTo(Last) {
		t.Error(s, err)
	}
}
