package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// layers are those that archives are.
func layers(t testing.TB, archives ...[]byte) (all []v1.Layer) {
	t.Helper()
	for _, b := range archives {
		l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil })
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

// packed is an archive of files without content.
func packed(t testing.TB, files ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range files {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What takes more time, memory or bytes than it may ends by an error: links that make each path
// a long way, whiteouts that look at every file, many files.
func TestLimits(t *testing.T) {
	deep := strings.Repeat("a/", 500)
	long := []tar.Header{{Name: deep, Typeflag: tar.TypeDir}, {Name: "l40/", Typeflag: tar.TypeDir}}
	for n := range 40 {
		to := deep + strings.Repeat("../", 500) + fmt.Sprintf("l%d", n+1)
		long = append(long, tar.Header{Name: fmt.Sprintf("l%d", n), Typeflag: tar.TypeSymlink, Linkname: to})
	}
	for n := range 40 {
		long = append(long, tar.Header{Name: fmt.Sprintf("l0/%d", n)})
	}
	var clears, many []tar.Header
	for n := range 1000 {
		many = append(many, tar.Header{Name: fmt.Sprintf("d/%d", n)})
	}
	clears = append(clears, many...)
	for range 1000 {
		clears = append(clears, tar.Header{Name: "d/.wh..wh..opq"})
	}
	most := limits{bytes: 2 << 20, memory: 512 << 10, steps: 100_000}
	for _, tt := range []struct {
		name  string
		files []tar.Header
		most  limits
		want  string
	}{
		{"long links", long, most, "too long to follow"},
		{"whiteouts", clears, most, "too long to follow"},
		{"many files", many, limits{most.bytes, 64 << 10, most.steps}, "too many files"},
		{"many bytes", many, limits{64 << 10, most.memory, most.steps}, "the image is too long"},
		{"what may be", many, most, ""},
	} {
		_, err := newTree(layers(t, packed(t, tt.files...)), tt.most)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Whatever two layers are, they make a tree within the limits in which every file has a path of
// its own, or none.
func FuzzTree(f *testing.F) {
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	hard := func(name, to string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to} }
	stamp := map[string]string{"SCHILY.xattr.security.capability": "value"}
	base := packed(f, tar.Header{Name: "usr/bin/", Typeflag: tar.TypeDir, Mode: 0o755}, tar.Header{Name: "usr/bin/a", Mode: 0o4755, PAXRecords: stamp}, link("bin", "usr/bin"))
	f.Add(base, packed(f, tar.Header{Name: "bin/.wh.a"}, tar.Header{Name: "bin/b"}, tar.Header{Name: "../../c"}))
	f.Add(base, packed(f, tar.Header{Name: "usr/.wh..wh..opq"}, hard("bin/c", "bin/a")))
	f.Add(base, packed(f, link("usr", "../../.."), tar.Header{Name: "usr/d"}))
	f.Add(packed(f, link("a", "b"), link("b", "a")), base)
	f.Add(base[:700], []byte("no archive"))
	most := limits{bytes: 1 << 20, memory: 1 << 20, steps: 100_000}
	f.Fuzz(func(t *testing.T, lower, upper []byte) {
		made, err := newTree(layers(t, lower, upper), most)
		if err != nil {
			return
		}
		made.left.steps = 10_000_000
		seen := map[*node]bool{}
		var walk func(at string, n *node)
		walk = func(at string, n *node) {
			if seen[n] {
				t.Fatalf("%q has two paths", at)
			}
			seen[n] = true
			if got, err := made.find("open", at); got != n || err != nil {
				t.Fatalf("%q: %v, %v", at, got, err)
			}
			if n.mode.IsDir() != (n.children != nil) || n.mode&fs.ModeSymlink == 0 && n.link != "" {
				t.Fatalf("%q: %v with %d children, a link to %q", at, n.mode, len(n.children), n.link)
			}
			if n.mode.IsRegular() {
				if _, err := fs.ReadFile(made, at); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%q: %v", at, err)
				}
			}
			for base, child := range n.children {
				if base == "" || base == "." || base == ".." || strings.Contains(base, "/") || strings.HasPrefix(base, whiteout) {
					t.Fatalf("%q has a file %q", at, base)
				}
				walk(path.Join(at, base), child)
			}
		}
		walk("", made.root)
	})
}
