package launch

import (
	"slices"
	"testing"
)

// Users and groups of an image as runtimes look them up: a number needs no account, a name does,
// and lines that are none are passed over.
func TestDatabase(t *testing.T) {
	const passwd = "#app:x:1:1::/:\nroot:x:0:0::/root:/bin/sh\nshort:x:7\nbad:x:y:7::/:\nbad:x:7:y::/:\napp:x:1000:1001::/:\nlast:x:8:9\n"
	const group = "root:x:0:\nadm:x:4:app,root\nwww:x:33:www,app\nbad:x:y:app\n50:x:51:\nplain:x:60\n"
	for _, tt := range []struct {
		name, user, group string
		want              string // the name, "error" for none
		uid, gid          uint32
		groups            []uint32
	}{
		{"nobody named", "", "", "root", 0, 0, []uint32{4, 0}},
		{"by name", "app", "", "app", 1000, 1001, []uint32{4, 33, 1001}},
		{"by number", "1000", "", "app", 1000, 1001, []uint32{4, 33, 1001}},
		{"a number without an account", "1234", "", "", 1234, 0, []uint32{0}},
		{"a number that is another's group", "1001", "", "", 1001, 0, []uint32{0}},
		{"the shortest line", "last", "", "last", 8, 9, []uint32{9}},
		{"a line that is too short", "short", "", "error", 0, 0, nil},
		{"lines without numbers", "bad", "", "error", 0, 0, nil},
		{"a comment", "#app", "", "error", 0, 0, nil},
		{"a number that is none", "4294967296", "", "error", 0, 0, nil},
		{"a group by name", "app", "www", "app", 1000, 33, []uint32{33}},
		{"a group by number", "app", "77", "app", 1000, 77, []uint32{77}},
		{"a group whose name is a number", "app", "50", "app", 1000, 51, []uint32{51}},
		{"a group without members", "app", "plain", "app", 1000, 60, []uint32{60}},
		{"no such group", "app", "none", "error", 0, 0, nil},
		{"a group without a number", "app", "bad", "error", 0, 0, nil},
		{"a number with a group", "1234", "www", "", 1234, 33, []uint32{33}},
	} {
		a, err := Database{passwd, group}.Account(tt.user, tt.group)
		if (err != nil) != (tt.want == "error") || err == nil && (a.Name != tt.want || a.UID != tt.uid || a.GID != tt.gid || !slices.Equal(a.Groups, tt.groups)) {
			t.Errorf("%s: %+v, %v", tt.name, a, err)
		}
	}
	if a, err := (Database{}).Account("", ""); err != nil || a.Name != "root" || a.UID != 0 || a.GID != 0 {
		t.Errorf("an image without accounts: %+v, %v", a, err)
	}
}
