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
func layer(t *testing.T, files ...tar.Header) v1.Layer {
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
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func of(t *testing.T, layers ...v1.Layer) v1.Image {
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
			tar.Header{Name: "../../etc/shadow"}),
	))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"usr/bin/a": "./usr/bin/a", "usr/bin/b": "bin/b", "usr/bin/hard": "./usr/bin/a", "srv/old/new": "srv/old/new", "etc/shadow": "../../etc/shadow",
		"usr/bin/gone": "", "srv/old/a": "", "usr/bin/.wh.gone": "",
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

// What would not end, or lead out of the image, is an error or leads nowhere.
func TestHostile(t *testing.T) {
	var many []v1.Layer
	for range 513 {
		many = append(many, layer(t, tar.Header{Name: "a"}))
	}
	if _, err := image.Read(of(t, many...)); err == nil || !strings.Contains(err.Error(), "more than 512 layers") {
		t.Errorf("513 layers: %v", err)
	}
	_, err := image.Read(of(t, layer(t, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../../../etc/passwd"})))
	if err == nil || !strings.Contains(err.Error(), "links to nothing") {
		t.Errorf("a hard link out of the image: %v", err)
	}
	i, err := image.Read(of(t, layer(t, tar.Header{Name: "server", Typeflag: tar.TypeSymlink, Linkname: "../../../../proc/self/exe"},
		tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "b"}, tar.Header{Name: "b", Typeflag: tar.TypeSymlink, Linkname: "a"})))
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
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := image.Read(of(t, l)); err == nil {
		t.Error("a file that the layer does not have is taken to be there")
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
