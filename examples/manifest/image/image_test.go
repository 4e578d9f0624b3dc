package image_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/lowport/lowport/examples/manifest/image"
	"github.com/lowport/lowport/guard/preflight"
)

// layer is one of these files.
func layer(t testing.TB, files ...tar.Header) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range files {
		content := h.Name
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(content))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return layerOf(t, b.Bytes())
}

// layerOf is the layer that an archive is.
func layerOf(t testing.TB, archive []byte) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func of(t testing.TB, layers ...v1.Layer) v1.Image {
	t.Helper()
	i, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	if i, err = mutate.Config(i, v1.Config{User: "www"}); err != nil {
		t.Fatal(err)
	}
	return i
}

// What upper layers do to lower ones, and what of a file is there, as overlayfs shows it.
func TestLayers(t *testing.T) {
	stamp := map[string]string{"SCHILY.xattr.security.capability": "value"}
	i, err := image.Read(of(t,
		layer(t, tar.Header{Name: "usr/bin/", Typeflag: tar.TypeDir, Mode: 0o755}, tar.Header{Name: "./usr/bin/a", Mode: 0o4755, Uid: 5, PAXRecords: stamp},
			tar.Header{Name: "bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin"}, tar.Header{Name: "usr/bin/gone", Mode: 0o755},
			tar.Header{Name: "srv/old/a"}, tar.Header{Name: "etc/passwd"}),
		layer(t, tar.Header{Name: "usr/bin/.wh.gone"}, tar.Header{Name: "bin/b", Mode: 0o755}, tar.Header{Name: "srv/old/new"},
			tar.Header{Name: "srv/old/.wh..wh..opq"}, tar.Header{Name: "usr/bin/hard", Typeflag: tar.TypeLink, Linkname: "usr/bin/a"},
			tar.Header{Name: "../../etc/shadow"}, tar.Header{Name: "bin/new/c"}, tar.Header{Name: "twice"}, tar.Header{Name: "./twice"},
			tar.Header{Name: "pax_global_header", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "a"}}),
	))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"usr/bin/a": "./usr/bin/a", "usr/bin/b": "bin/b", "usr/bin/hard": "./usr/bin/a", "srv/old/new": "srv/old/new", "etc/shadow": "../../etc/shadow",
		"usr/bin/gone": "", "srv/old/a": "", "usr/bin/.wh.gone": "",
		"usr/bin/new/c": "bin/new/c", "twice": "./twice", "pax_global_header": "",
	} {
		b, err := fs.ReadFile(i.FS(), name)
		if string(b) != want || (want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	for _, name := range []string{"usr/bin/a", "usr/bin/hard"} {
		info, err := fs.Lstat(i.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		a := info.Sys().(*preflight.Attributes)
		if string(a.Capability) != "value" || a.UID != 5 || info.Mode() != fs.ModeSetuid|0o755 {
			t.Errorf("%s: %+v, %v", name, a, info.Mode())
		}
	}
	if to, err := fs.ReadLink(i.FS(), "bin"); to != "usr/bin" || err != nil {
		t.Errorf("bin: %q, %v", to, err)
	}
}

// What would not end, take all memory, or lead out of the image, is an error or leads nowhere.
func TestHostile(t *testing.T) {
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	hard := func(name, to string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to} }
	long := strings.Repeat("a/", 2050)
	for _, tt := range []struct {
		name  string
		files []tar.Header
		want  string
	}{
		{"a hard link out of the image", []tar.Header{hard("a", "../../../etc/passwd")}, "links to nothing"},
		{"a hard link to itself", []tar.Header{hard("a", "a")}, "links to nothing"},
		{"a hard link to a folder", []tar.Header{{Name: "d/", Typeflag: tar.TypeDir}, hard("a", "d")}, "links to nothing"},
		{"a path that is too long", []tar.Header{{Name: long + "b", Format: tar.FormatPAX}}, "longer than 4096 bytes"},
		{"a link that is too long", []tar.Header{link("a", long)}, "longer than 4096 bytes"},
		{"a name that is too long", []tar.Header{{Name: strings.Repeat("a", 256), Format: tar.FormatPAX}}, "longer than 255 bytes"},
		{"links in a circle", []tar.Header{link("a", "b"), link("b", "a"), {Name: "a/c"}}, "too many levels of symbolic links"},
		{"a folder by a link to nothing", []tar.Header{link("a", "b"), {Name: "a/c"}}, "leads nowhere"},
		{"a file in a file", []tar.Header{{Name: "a"}, {Name: "a/b"}}, "no folder"},
	} {
		if _, err := image.Read(of(t, layer(t, tt.files...))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	i, err := image.Read(of(t, layer(t, link("server", "../../../../proc/self/exe"), link("a", "b"), link("b", "a"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"/server", "/a"} {
		c := preflight.Container{Engine: "podman", Entrypoint: []string{program}, Image: i.FS()}
		if _, err := preflight.Bind(preflight.Launch{Container: &c}, ":80"); err == nil || strings.Contains(err.Error(), "permission") {
			t.Errorf("%s: %v", program, err)
		}
	}
	bomb := tar.Header{Name: "big", Typeflag: tar.TypeReg, Size: 1 << 40}
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&bomb); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Read(of(t, layerOf(t, b.Bytes()))); err == nil {
		t.Error("a file that the layer does not have is taken to be there")
	}
}

// Hundreds of layers are read, and more are refused.
func TestManyLayers(t *testing.T) {
	var many []v1.Layer
	for n := range 513 {
		many = append(many, layer(t, tar.Header{Name: fmt.Sprintf("d/%d", n)}, tar.Header{Name: fmt.Sprintf("d/.wh.%d", n-1)}))
	}
	i, err := image.Read(of(t, many[:512]...))
	if err != nil {
		t.Fatal(err)
	}
	all, err := fs.ReadFile(i.FS(), "d/511")
	if _, gone := fs.Lstat(i.FS(), "d/510"); string(all) != "d/511" || err != nil || !errors.Is(gone, fs.ErrNotExist) {
		t.Errorf("%q, %v, %v", all, err, gone)
	}
	if _, err := image.Read(of(t, many...)); err == nil || !strings.Contains(err.Error(), "more than 512 layers") {
		t.Errorf("513 layers: %v", err)
	}
}

// An archive or a layout whose descriptions would fill the memory is refused by their sizes.
func TestLongDescriptions(t *testing.T) {
	dir := t.TempDir()
	for name, entries := range map[string][]tar.Header{
		"manifest.json is no file of at most": {{Name: "manifest.json", Typeflag: tar.TypeReg, Size: 1 << 30}},
		"has no manifest.json":                {{Name: "a", Typeflag: tar.TypeDir}},
		"is no file of at most":               {{Name: "manifest.json", Typeflag: tar.TypeSymlink, Linkname: "manifest.json"}},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range entries {
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		b.Write(make([]byte, 1024)) // the end of an archive
		file := filepath.Join(dir, "image.tar")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := image.Open(file); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
	index := filepath.Join(dir, "index.json")
	if err := os.WriteFile(index, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(index, 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Open(dir); err == nil || !strings.Contains(err.Error(), "is no file of at most") {
		t.Errorf("a long index: %v", err)
	}
}

// A layout and an archive are the same image, by the names that they have.
func TestOpen(t *testing.T) {
	i := of(t, layer(t, tar.Header{Name: "a"}))
	dir, file := filepath.Join(t.TempDir(), "layout"), filepath.Join(t.TempDir(), "image.tar")
	p, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.AppendImage(i, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "app:1"})); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("app:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(file, tag, i); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, file} {
		opened, err := image.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fs.ReadFile(opened.FS(), "a")
		if string(b) != "a" || err != nil || opened.Config.User != "www" || !strings.HasSuffix(fmt.Sprint(opened.Names), "app:1]") {
			t.Errorf("%s: %q, %v, %+v, %q", path, b, err, opened.Config, opened.Names)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := image.Open(bad); err == nil {
		t.Error("no error")
	}
}
