package archive

import (
	"bytes"
	"testing"

	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/facts/factstest"
)

// Any record comes back from Save and Load as it was: text, raw bytes, lines
// that look like the archive's own, and errors.
func FuzzSaveLoad(f *testing.F) {
	for _, data := range []string{"", "1024\n", "no newline", "-- args --\n", "x\n-- args --\ny", `"quoted"` + "\n", "\xff\x00\r\n", "\ufffd\n"} {
		f.Add(uint8(3), []byte(data), "EPERM")
	}
	for _, reason := range []string{"", "two\nlines", " --", ": ", ` " `, "-- args --"} {
		f.Add(uint8(7), []byte("x\n"), reason)
	}
	f.Fuzz(func(t *testing.T, i uint8, data []byte, reason string) {
		n := int(i)
		r := facts.Record{facts.Items[n%len(facts.Items)]: {Data: data}}
		if reason != "" {
			r[facts.Items[(n+1)%len(facts.Items)]] = facts.Item{Err: reason}
		}
		saved := Save(r)
		got, err := Load(saved)
		if err != nil {
			t.Fatalf("%v\n%s", err, saved)
		}
		if diff := diff.Of(factstest.Plain(r), factstest.Plain(got)); diff != "" {
			t.Errorf("%s\n%s", diff, saved)
		}
	})
}

// Whatever Load takes, it takes wholly: saved and loaded again it is the same,
// and making facts of it does not fail.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("-- cwd --\n\"/a\"\n-- threads: EPERM --\n"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		r, err := Load(archive)
		if err != nil {
			return
		}
		again, err := Load(Save(r))
		if diff := diff.Of(factstest.Plain(r), factstest.Plain(again)); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		r.Facts()
	})
}

func TestLoadMalformed(t *testing.T) {
	whole := Save(facts.Record{"proc/self/exe": {Data: []byte("/srv/app")}, "user": {Data: []byte("app\n")}})
	for _, tt := range []struct{ name, archive string }{
		{"empty", ""},
		{"no archive", "hello\n"},
		{"cut short", string(whole[:len(whole)-2])},
		{"unknown item", "-- proc/self/environ --\nx\n"},
		{"item twice", "-- cwd --\n/\n-- cwd --\n/\n"},
		{"item twice, once an error", "-- cwd --\n/\n-- cwd: EPERM --\n"},
		{"data and an error", "-- cwd: EPERM --\n/\n"},
		{"bad quoting", "-- cwd --\n\"/\n"},
		{"two strings", "-- cwd --\n\"/\" \"/\"\n"},
		{"bad quoting of an error", "-- cwd: \"EPERM --\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := Load([]byte(tt.archive)); err == nil {
				t.Errorf("Load took %q for %v", tt.archive, r)
			}
		})
	}
	if _, err := Load(whole); err != nil {
		t.Errorf("the whole archive: %v", err)
	}
}

func TestSaveKeepsPlainLinesPlain(t *testing.T) {
	r := facts.Record{"user": {Data: []byte("app\n")}, "threads": {Err: "EPERM"}}
	if want := "-- threads: EPERM --\n-- user --\napp\n"; !bytes.Equal(Save(r), []byte(want)) {
		t.Errorf("got:\n%swant:\n%s", Save(r), want)
	}
}
