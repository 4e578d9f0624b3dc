package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// noted is the file as it was when it had its capabilities.
var noted = witness{Path: "build/server", Stamped: true, Dev: 1, Ino: 11, Birth: 100*1e9 + 5, Write: 101*1e9 + 7, Change: 102*1e9 + 9, Mode: 0o100755, Size: 4, SHA256: strings.Repeat("a", 64)}

func TestLost(t *testing.T) {
	other := strings.Repeat("b", 64)
	for name, c := range map[string]struct {
		change func(*evidence)
		want   string
	}{
		"a filesystem without":         {func(e *evidence) { e.holds = false }, "filesystem proven"},
		"chown":                        {func(e *evidence) { e.now.UID, e.now.Change = 1000, 200e9 }, "chown proven"},
		"chgrp":                        {func(e *evidence) { e.now.GID, e.now.Change = 1000, 200e9 }, "chown proven"},
		"chown, unknown birth":         {func(e *evidence) { e.now.UID, e.now.Birth, e.now.Change = 1000, 0, 200e9 }, "chown likely"},
		"chown to the same":            {func(e *evidence) { e.now.Change = 200e9 }, "chown likely"},
		"nothing":                      {func(e *evidence) {}, " "},
		"written":                      {func(e *evidence) { e.now.SHA256, e.now.Write, e.now.Change = other, 200e9, 200e9 }, "write proven"},
		"written alike":                {func(e *evidence) { e.now.Write, e.now.Change = 200e9+1, 200e9+1 }, "write likely"},
		"built":                        {func(e *evidence) { e.now.Ino, e.now.SHA256 = 12, other }, "rebuild proven"},
		"built in the same inode":      {func(e *evidence) { e.now.Birth, e.now.SHA256 = 150e9, other }, "rebuild proven"},
		"cp":                           {func(e *evidence) { e.now.Ino, e.now.Birth, e.now.Write = 12, 200e9, 200e9+3 }, "copy likely"},
		"cp -p":                        {func(e *evidence) { e.now.Ino, e.now.Birth = 12, 200e9 }, "copy proven"},
		"another filesystem":           {func(e *evidence) { e.now.Dev = 2 }, "copy proven"},
		"tar":                          {func(e *evidence) { e.now.Ino, e.now.Birth, e.now.Write = 12, 200e9, 101e9 }, "archive likely"},
		"from: cp":                     {func(e *evidence) { e.from, e.now.Ino, e.now.Write = true, 12, 200e9 }, "copy likely"},
		"from: another build":          {func(e *evidence) { e.from, e.now.Ino, e.now.SHA256 = true, 12, other }, "rebuild proven"},
		"from: has none":               {func(e *evidence) { e.from = true; e.before = &witness{Path: "x"} }, "source proven"},
		"alone: times of an archive":   {func(e *evidence) { e.before, e.now.Birth, e.now.Write = nil, 200e9, 101e9 }, "archive possible"},
		"alone: times of a copy":       {func(e *evidence) { e.before, e.now.Birth = nil, 200e9 }, "copy possible"},
		"alone: written last":          {func(e *evidence) { e.before, e.now.Change = nil, e.now.Write }, " "},
		"alone: changed last":          {func(e *evidence) { e.before = nil }, " "},
		"alone: unknown birth":         {func(e *evidence) { e.before, e.now.Birth, e.now.Write = nil, 0, 101e9 }, " "},
		"overlay without attributes":   {func(e *evidence) { e.layer = layer{upper: true, lower: &noted} }, "copy-up proven"},
		"overlay, and says so":         {func(e *evidence) { e.holds = false; e.layer = layer{upper: true, lower: &noted} }, "copy-up proven"},
		"overlay, chown":               {func(e *evidence) { e.now.UID = 5; e.layer = layer{upper: true, holds: true, lower: &noted} }, "chown proven"},
		"overlay, something":           {func(e *evidence) { e.layer = layer{upper: true, holds: true, lower: &noted} }, "chown likely"},
		"overlay, not copied":          {func(e *evidence) { e.before = nil; e.layer = layer{holds: true, lower: &witness{SHA256: noted.SHA256}} }, " "},
		"overlay, layers out of sight": {func(e *evidence) { e.before, e.fs = nil, "overlay" }, " "},
	} {
		now := noted
		now.Path, now.Stamped = "server", false
		before := noted
		e := evidence{now: now, holds: true, fs: "ext4", before: &before}
		c.change(&e)
		l := lost(e)
		if got := l.step + " " + l.certainty; got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
		if l.certainty != "" && len(l.evidence) == 0 || steps[l.step].what == "" && l.certainty != "" {
			t.Errorf("%s: %+v", name, l)
		}
		var out, err bytes.Buffer
		(stdio{strings.NewReader(""), &out, &err}).explainLoss(l)
		if text := err.String(); !strings.Contains(text, "instead: ") && !strings.Contains(text, "cannot tell") || out.Len() > 0 {
			t.Errorf("%s: %s%s", name, text, out.String())
		}
	}
	for _, id := range usual {
		if steps[id].what == "" {
			t.Error(id)
		}
	}
	if at(1e9) != "1970-01-01 00:00:01.000000000" || at(int64(time.Second)) == at(0) {
		t.Error(at(1e9), at(0))
	}
}

func FuzzParseNote(f *testing.F) {
	f.Add([]byte(`{"Path":"a","Stamped":true,"Dev":1,"Ino":2,"Birth":0,"Write":1,"Change":1,"Mode":33261,"UID":0,"GID":0,"Size":1,"SHA256":"` + strings.Repeat("a", 64) + `"}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := parseNote(b); err == nil && (w.Ino == 0 || !w.Stamped || len(w.SHA256) != 64) {
			t.Errorf("%+v", w)
		}
	})
}
