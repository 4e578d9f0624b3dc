package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
)

// A file is found under each mount of its file system that it lies below, and no other.
func TestSpotPaths(t *testing.T) {
	mounts := facts.Mounts{
		{Dev: "8:1", Root: "/", Point: "/"}, {Dev: "8:1", Root: "/srv/app", Point: "/mnt"}, {Dev: "8:1", Root: "/srv/ap", Point: "/no"},
		{Dev: "8:2", Root: "/", Point: "/other"}, {Dev: "8:1", Root: "/srv/app/tool", Point: "/one"},
	}
	for s, want := range map[spot][]string{
		{"8:1", "/srv/app/tool"}:   {"/srv/app/tool", "/mnt/tool", "/one"},
		{"8:1", "/srv/app"}:        {"/srv/app", "/mnt"},
		{"8:1", "/srv/app/tool/x"}: {"/srv/app/tool/x", "/mnt/tool/x", "/one/x"},
		{"8:2", "/tool"}:           {"/other/tool"},
		{"8:3", "/tool"}:           nil,
	} {
		if got := s.paths(mounts); !slices.Equal(got, want) {
			t.Errorf("%v: %q, not %q", s, got, want)
		}
	}
}

// Where the mount is not shown, nothing is said of the spot; where the reader knows it, its
// list counts.
func TestSpot(t *testing.T) {
	own, err := files{"/proc/thread-self", 0}.mountTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	want, err := own.spot(fd)
	if err != nil || !own.hasRoot() {
		t.Skip("the root folder is no mount: ", err)
	}
	ours := mountTable{root: "/elsewhere", ours: own.mounts}
	if got, err := ours.spot(fd); got != want || err != nil {
		t.Errorf("%v %v, not %v", got, err, want)
	}
	if got := ours.withRoot(fd); !got.hasRoot() || got.mounts[0].Dev != want.dev || got.mounts[0].Root != want.path {
		t.Errorf("%v, not %v", got.mounts, want)
	}
	for _, none := range []mountTable{{root: "/"}, {root: "/elsewhere", mounts: own.mounts}} {
		if got, err := none.spot(fd); err == nil {
			t.Errorf("%v of %+v", got, none)
		}
	}
}

// A door that a view may have is no finding for the process, and not clean either, if the
// process might use it.
func TestUnsure(t *testing.T) {
	for uid, want := range map[uint32]string{1000: "could-not-tell", 1001: ""} {
		p := clean()
		p.Doors = p.Doors.Now([]Door{{Path: "/srv/tool", Mode: 0o100755, UID: uid, Need: 2, Root: true, Unsure: "the mount is not shown"}})
		var got []string
		for _, f := range Findings(p) {
			if f.Severity.Above(Note) {
				got = append(got, f.ID)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("of %d: %v, not %q", uid, got, want)
		}
	}
}

// Of each file one mapping is looked at, however many there are.
func TestMapped(t *testing.T) {
	var maps strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&maps, "%08x-%08x r-xp 00000000 00:1f 7     /usr/lib/a b.so\n", i<<12, (i+1)<<12)
		fmt.Fprintf(&maps, "%08x-%08x r--p 00000000 00:1f 8     /usr/lib/data.so\n", i<<12, (i+1)<<12)
		fmt.Fprintf(&maps, "%08x-%08x r-xp 00000000 00:1f 9     /tmp/gone (deleted)\n", i<<12, (i+1)<<12)
		fmt.Fprintf(&maps, "%08x-%08x r-xp 00000000 00:00 0 \n", i<<12, (i+1)<<12)
	}
	want := []mapping{{"0-1000", "7", "/usr/lib/a b.so"}}
	if got := mapped([]byte(maps.String())); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}
