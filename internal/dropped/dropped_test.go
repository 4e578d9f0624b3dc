package dropped

import (
	"testing"

	"github.com/lowport/lowport/caps"
)

func TestNote(t *testing.T) {
	if s := Noted(); s != 0 || NoNewPrivs() {
		t.Fatalf("before: %v, %v", s, NoNewPrivs())
	}
	Note(caps.SetOf(caps.NET_RAW))
	Note(caps.SetOf(caps.SYS_ADMIN)) // a drop after one that kept it
	Note(0)
	if s, want := Noted(), caps.SetOf(caps.NET_RAW, caps.SYS_ADMIN); s != want {
		t.Errorf("%v, not %v", s, want)
	}
	if NoteNoNewPrivs(); !NoNewPrivs() {
		t.Error("no_new_privs was not noted")
	}
}
