package caps

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestDecodeFile(t *testing.T) {
	for text, want := range map[string]File{
		// Written by setcap and read by getfattr -e hex.
		"0100000200040000000000000000000000000000":         {Permitted: SetOf(NET_BIND_SERVICE), Effective: true, Version: 2},
		"0000000200040000002000000000000000000000":         {Permitted: SetOf(NET_BIND_SERVICE), Inheritable: SetOf(NET_RAW), Version: 2},
		"0000000200000000000000000000000000000000":         {Version: 2},
		"0000000200000000000000000000008000010000":         {Permitted: SetOf(63), Inheritable: SetOf(40), Version: 2},
		"0100000300040000000000000000000000000000e8030000": {Permitted: SetOf(NET_BIND_SERVICE), Effective: true, Version: 3, RootID: 1000},
		"0000000300000000000000000000000000000000ffffffff": {Version: 3, RootID: 1<<32 - 1},
		"010000010004000000000000":                         {Permitted: SetOf(NET_BIND_SERVICE), Effective: true, Version: 1},
	} {
		b, _ := hex.DecodeString(text)
		got, err := DecodeFile(b)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if again, err := got.MarshalBinary(); err != nil || string(again) != string(b) {
			t.Errorf("%s: encoded as %x, %v", text, again, err)
		}
		for n := range len(b) {
			if _, err := DecodeFile(b[:n]); err == nil {
				t.Errorf("%s: no error for its first %d bytes", text, n)
			}
		}
		if _, err := DecodeFile(append(b, 0)); err == nil {
			t.Errorf("%s: no error for a byte more", text)
		}
	}
	for _, text := range []string{"", "00000000", "0000000000040000000000000000000000000000", "0000000400040000000000000000000000000000", "0200000200040000000000000000000000000000", "0100800200040000000000000000000000000000", strings.Repeat("00", 1<<16)} {
		b, _ := hex.DecodeString(text)
		if got, err := DecodeFile(b); err == nil || got != (File{}) {
			t.Errorf("%.40s: %+v, %v", text, got, err)
		}
	}
}

func TestEncodeFile(t *testing.T) {
	for _, test := range []struct {
		f    File
		want int // version
	}{
		{File{}, 2},
		{File{Permitted: SetOf(63)}, 2},
		{File{RootID: 1}, 3},
		{File{Version: 3}, 3},
		{File{Version: 1, Permitted: SetOf(31)}, 1},
		{File{Version: 1, Permitted: SetOf(32)}, 0},
		{File{Version: 1, RootID: 1}, 0},
		{File{Version: 2, RootID: 1}, 0},
		{File{Version: 4}, 0},
		{File{Version: -1}, 0},
	} {
		b, err := test.f.MarshalBinary()
		if test.want == 0 {
			if err == nil {
				t.Errorf("%+v: no error, %x", test.f, b)
			}
			continue
		}
		test.f.Version = test.want
		var got File
		if e := got.UnmarshalBinary(b); err != nil || e != nil || got != test.f {
			t.Errorf("%+v: %+v, %v, %v", test.f, got, err, e)
		}
	}
}

func TestParseFile(t *testing.T) {
	for text, want := range map[string]File{
		"":                          {Version: 2},
		"cap_net_raw+p":             {Version: 2, Permitted: SetOf(NET_RAW)},
		"cap_net_raw=ep":            {Version: 2, Permitted: SetOf(NET_RAW), Effective: true},
		"cap_net_raw=ei":            {Version: 2, Inheritable: SetOf(NET_RAW), Effective: true},
		"cap_net_raw=p cap_kill=ei": {},
		"cap_net_raw=e":             {Version: 2, Effective: true},
	} {
		got, err := ParseFile(text)
		if got != want || errors.Is(err, ErrMixedEffective) != (want.Version == 0) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	if got := (File{Permitted: SetOf(KILL), Inheritable: SetOf(NET_RAW), Effective: true}).String(); got != "cap_net_raw=ei cap_kill+ep" {
		t.Error(got)
	}
}

func FuzzDecodeFile(f *testing.F) {
	for _, seed := range []File{{Version: 1}, {Version: 2, Permitted: 1 << 40}, {Version: 3, RootID: 7, Effective: true}} {
		b, _ := seed.MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := DecodeFile(b)
		if err != nil {
			if v != (File{}) {
				t.Errorf("%v, and %+v", err, v)
			}
			return
		}
		if again, err := v.MarshalBinary(); err != nil || string(again) != string(b) {
			t.Errorf("%x is encoded as %x, %v", b, again, err)
		}
		if !v.Effective || v.Permitted|v.Inheritable != 0 {
			again, err := ParseFile(v.String())
			again.Version, again.RootID = v.Version, v.RootID
			if err != nil || again != v {
				t.Errorf("%q is read as %+v, %v, want %+v", v, again, err, v)
			}
		}
	})
}

func TestMismatchError(t *testing.T) {
	got, want := File{Permitted: SetOf(KILL), RootID: 7}, File{Permitted: SetOf(KILL), Effective: true}
	if text := (&MismatchError{Path: "a", Got: got, Want: want}).Error(); text != `"a" has capabilities cap_kill=p [rootid=7], not cap_kill=ep` {
		t.Error(text)
	}
	if text := (&MismatchError{Path: "a", Want: want, None: true}).Error(); text != `"a" has no capabilities, not cap_kill=ep` {
		t.Error(text)
	}
}
