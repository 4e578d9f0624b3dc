package live

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
)

// A library is found by what leads to it, unless the loader searches there anyway.
func TestLoaded(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	far, beside, link := filepath.Join(dir, "far"), filepath.Join(dir, "beside"), filepath.Join(dir, "link")
	for _, folder := range []string{far, beside, filepath.Join(far, "glibc-hwcaps")} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(far, "libweb.so"), filepath.Join(far, "glibc-hwcaps/libweb.so"), filepath.Join(beside, "libweb.so.1")} {
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(far, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(beside, "libweb.so.1"), filepath.Join(far, "libnear.so")); err != nil {
		t.Fatal(err)
	}
	libc := "/usr/lib/x86_64-linux-gnu/libc.so.6"
	libs := program.Libraries{Needed: []string{"libnear.so"}, RunPath: []string{"/opt", "${ORIGIN}/beside"}}
	for _, tt := range []struct {
		name, path, preload string
		mapped              []string
		want                []string
	}{
		{"nothing", "", "", []string{libc}, nil},
		{"a folder", far, "", []string{libc, far + "/libweb.so"}, []string{"LD_LIBRARY_PATH"}},
		{"a folder by a link", "/nowhere:" + link, "", []string{far + "/libweb.so"}, []string{"LD_LIBRARY_PATH"}},
		{"a folder of a kind of processor", far, "", []string{far + "/glibc-hwcaps/libweb.so"}, []string{"LD_LIBRARY_PATH"}},
		{"a folder that has nothing of it", dir + "/other", "", []string{libc, far + "/libweb.so"}, nil},
		{"a folder whose name is the beginning", dir + "/fa", "", []string{far + "/libweb.so"}, nil},
		{"a folder that is searched anyway", "/usr/lib/x86_64-linux-gnu", "", []string{libc}, nil},
		{"a link in the folder", far, "", []string{beside + "/libweb.so.1"}, []string{"LD_LIBRARY_PATH", "$ORIGIN"}},
		{"beside the program", "", "", []string{beside + "/libweb.so.1"}, []string{"$ORIGIN"}},
		{"a file", "", link + "/libweb.so", []string{libc, far + "/libweb.so"}, []string{"LD_PRELOAD"}},
		{"a name", "", "libc.so.6", []string{libc}, []string{"LD_PRELOAD"}},
		{"a file that is not there", "", "/nowhere/libx.so", []string{libc}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("LD_LIBRARY_PATH", tt.path)
			t.Setenv("LD_PRELOAD", tt.preload)
			if d := diff.Of(tt.want, loaded(tt.mapped, libs, dir).Needs); d != "" {
				t.Error(d)
			}
		})
	}
}

// The mapped files of a process that are libraries, each once.
func TestMappedLibraries(t *testing.T) {
	maps := "00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon\n" +
		"7f0000000000-7f0000001000 r--p 00000000 08:02 1           /usr/lib/a b/libc.so.6\n" +
		"7f0000001000-7f0000002000 r-xp 00001000 08:02 1           /usr/lib/a b/libc.so.6\n" +
		"7ffc0000-7ffd0000 rw-p 00000000 00:00 0                   [stack]\n"
	if d := diff.Of([]string{"/usr/lib/a b/libc.so.6"}, mappedLibraries([]byte(maps))); d != "" {
		t.Error(d)
	}
}

// What a loader may be asked is known of a file before it starts.
func TestProgramLoader(t *testing.T) {
	t.Setenv("LD_LIBRARY_PATH", "/opt/lib")
	t.Setenv("LD_PRELOAD", "")
	static := Program{File: program.File{Format: program.ELF}}
	if d := diff.Of(facts.Loader{}, static.loader()); d != "" {
		t.Errorf("static:\n%s", d)
	}
	dynamic := Program{File: program.File{Format: program.ELF, Interpreter: "/lib64/ld.so", Libraries: program.Answer[program.Libraries]{Value: program.Libraries{RunPath: []string{"$ORIGIN"}}}}}
	want := facts.Loader{Vars: []string{"LD_LIBRARY_PATH=/opt/lib"}, Needs: []string{"LD_LIBRARY_PATH", "$ORIGIN"}, Maybe: true}
	if d := diff.Of(want, dynamic.loader()); d != "" {
		t.Errorf("dynamic:\n%s", d)
	}
}
