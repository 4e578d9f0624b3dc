// Package image reads the image of a container, an OCI layout or an archive of docker save, as
// the file system that its layers make. Nothing of it is written anywhere.
package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/lowport/lowport/guard/preflight"
)

// The bounds of an image. One beyond them is an error.
const (
	maxLayers  = 512
	maxEntries = 2_000_000
	maxBytes   = 64 << 30 // of all layers, uncompressed
	maxFile    = 1 << 30  // of a file that is looked at
	maxLinks   = 40       // of one path
)

// An Image is what a registry or an archive has of one.
type Image struct {
	Names  []string // by which the archive calls it
	Config v1.Config
	tree   *tree
}

// FS returns the root of a container of the image. What its files' Sys returns is a
// *preflight.Attributes.
func (i *Image) FS() fs.FS { return i.tree }

// Open reads a folder with an OCI layout, or the archive of docker save. Of several images it is
// the one for Linux on this kind of machine.
func Open(name string) (*Image, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	var found v1.Image
	var names []string
	if info.IsDir() {
		found, names, err = ofLayout(name)
	} else {
		found, names, err = ofArchive(name)
	}
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", name, err)
	}
	i, err := Read(found)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", name, err)
	}
	i.Names = names
	return i, nil
}

// Read reads an image.
func Read(from v1.Image) (*Image, error) {
	config, err := from.ConfigFile()
	if err != nil {
		return nil, err
	}
	layers, err := from.Layers()
	if err != nil {
		return nil, err
	}
	if len(layers) > maxLayers {
		return nil, fmt.Errorf("it has more than %d layers", maxLayers)
	}
	t := &tree{layers: layers, entries: map[string]*entry{}}
	for n := range layers {
		if err := t.add(n); err != nil {
			return nil, fmt.Errorf("layer %d: %w", n+1, err)
		}
	}
	return &Image{Config: config.Config, tree: t}, nil
}

func ofArchive(name string) (v1.Image, []string, error) {
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return nil, nil, fmt.Errorf("it is no archive of docker save: %w", err)
	}
	if len(manifest) != 1 {
		return nil, nil, fmt.Errorf("it has %d images: save one", len(manifest))
	}
	i, err := tarball.Image(open, nil)
	return i, manifest[0].RepoTags, err
}

func ofLayout(dir string) (v1.Image, []string, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("it is no OCI layout: %w", err)
	}
	return choose(index, 0)
}

// choose finds the image for Linux in an index, or in one that it names.
func choose(index v1.ImageIndex, depth int) (v1.Image, []string, error) {
	if depth > 4 {
		return nil, nil, errors.New("its indexes name each other")
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, nil, err
	}
	all := slices.DeleteFunc(slices.Clone(manifest.Manifests), func(d v1.Descriptor) bool {
		return d.Platform != nil && (d.Platform.OS != "linux" || d.Platform.Architecture != runtime.GOARCH)
	})
	if len(all) != 1 {
		return nil, nil, fmt.Errorf("it has %d images for Linux on this machine, and not one", len(all))
	}
	d := all[0]
	var names []string
	if name := d.Annotations["org.opencontainers.image.ref.name"]; name != "" {
		names = append(names, name)
	}
	if d.MediaType.IsIndex() {
		inner, err := index.ImageIndex(d.Digest)
		if err != nil {
			return nil, nil, err
		}
		i, more, err := choose(inner, depth+1)
		return i, append(names, more...), err
	}
	i, err := index.Image(d.Digest)
	return i, names, err
}

// A tree is the file system of some layers.
type tree struct {
	layers  []v1.Layer
	entries map[string]*entry // by path without a leading slash
	total   int64
	count   int
}

// An entry is what a layer has of a file.
type entry struct {
	header tar.Header
	layer  int
	name   string // in the layer's archive; of a hard link that of what it names
	sys    *preflight.Attributes
}

const whiteout, opaque = ".wh.", ".wh..wh..opq"

// add puts a layer on top of the others.
func (t *tree) add(n int) error {
	r, err := t.layers[n].Uncompressed()
	if err != nil {
		return err
	}
	defer r.Close()
	here := map[string]bool{} // of this layer, which its whiteouts do not concern
	for archive := tar.NewReader(&limited{r, &t.total}); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if t.count++; t.count > maxEntries {
			return fmt.Errorf("the image has more than %d files", maxEntries)
		}
		if err := t.put(n, h, here); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

// put adds one file of a layer.
func (t *tree) put(n int, h *tar.Header, here map[string]bool) error {
	clean := path.Join("/", h.Name)
	if clean == "/" {
		return nil
	}
	dir, err := t.resolve(path.Dir(clean))
	if err != nil { // a folder that no layer has is made
		dir = path.Dir(clean)
	}
	at, base := strings.TrimPrefix(path.Join(dir, path.Base(clean)), "/"), path.Base(clean)
	switch {
	case base == opaque:
		t.remove(strings.TrimPrefix(dir, "/"), here, false)
		return nil
	case strings.HasPrefix(base, whiteout):
		t.remove(strings.TrimPrefix(path.Join(dir, base[len(whiteout):]), "/"), here, true)
		return nil
	}
	e := &entry{header: *h, layer: n, name: h.Name, sys: &preflight.Attributes{UID: uint32(h.Uid), GID: uint32(h.Gid)}}
	if value, ok := h.PAXRecords["SCHILY.xattr.security.capability"]; ok {
		e.sys.Capability = []byte(value)
	}
	if h.Typeflag == tar.TypeLink {
		target, err := t.resolve(path.Join("/", h.Linkname))
		if err != nil {
			return err
		}
		other, ok := t.entries[strings.TrimPrefix(target, "/")]
		if !ok || other.header.Typeflag == tar.TypeDir {
			return errors.New("it links to nothing")
		}
		e = other
	}
	if old := t.entries[at]; old != nil && old.header.Typeflag == tar.TypeDir && h.Typeflag != tar.TypeDir {
		t.remove(at, here, true)
	}
	t.entries[at], here[at] = e, true
	return nil
}

// remove takes what lower layers have below a path, and at it.
func (t *tree) remove(at string, here map[string]bool, itself bool) {
	if e, ok := t.entries[at]; ok && itself && e.header.Typeflag != tar.TypeDir {
		if !here[at] {
			delete(t.entries, at)
		}
		return
	}
	for name := range t.entries {
		below := at == "" || strings.HasPrefix(name, at+"/")
		if (below || itself && name == at) && !here[name] {
			delete(t.entries, name)
		}
	}
}

// resolve follows the links of a folder's path.
func (t *tree) resolve(name string) (string, error) {
	at, rest := "/", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		e, ok := t.entries[next[1:]]
		if !ok || e.header.Typeflag != tar.TypeSymlink {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", errors.New("its links go in circles")
		}
		if path.IsAbs(e.header.Linkname) {
			at = "/"
		}
		rest = append(strings.Split(e.header.Linkname, "/"), rest...)
	}
	return at, nil
}

// lookup returns the entry of a path, or a folder that only files below it show.
func (t *tree) lookup(op, name string) (*entry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if e, ok := t.entries[name]; ok {
		return e, nil
	}
	folder := &entry{header: tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}, sys: &preflight.Attributes{}}
	if name == "." {
		return folder, nil
	}
	for other := range t.entries {
		if strings.HasPrefix(other, name+"/") {
			return folder, nil
		}
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Lstat describes a file, and follows no link.
func (t *tree) Lstat(name string) (fs.FileInfo, error) {
	e, err := t.lookup("lstat", name)
	if err != nil {
		return nil, err
	}
	return info{path.Base(name), e}, nil
}

// Stat is Lstat: who asks follows the links.
func (t *tree) Stat(name string) (fs.FileInfo, error) { return t.Lstat(name) }

// ReadLink returns what a link names.
func (t *tree) ReadLink(name string) (string, error) {
	e, err := t.lookup("readlink", name)
	if err == nil && e.header.Typeflag != tar.TypeSymlink {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return e.header.Linkname, nil
}

// Open opens a file. Its layer is read anew for it, so that none is held.
func (t *tree) Open(name string) (fs.File, error) {
	e, err := t.lookup("open", name)
	if err != nil {
		return nil, err
	}
	f := &file{info: info{path.Base(name), e}}
	if e.header.Typeflag == tar.TypeDir {
		return f, nil
	}
	r, err := t.layers[e.layer].Uncompressed()
	if err != nil {
		return nil, err
	}
	var read int64
	for archive := tar.NewReader(&limited{r, &read}); ; {
		h, err := archive.Next()
		if err != nil {
			r.Close()
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		if h.Name == e.name && h.Typeflag == e.header.Typeflag && h.Size == e.header.Size {
			f.r, f.close = io.LimitReader(archive, maxFile), r.Close
			return f, nil
		}
	}
}

// limited ends a stream that is longer than an image may be.
type limited struct {
	r     io.Reader
	total *int64
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if *l.total += int64(n); *l.total > maxBytes {
		return n, fmt.Errorf("the image is longer than %d bytes", int64(maxBytes))
	}
	return n, err
}

type file struct {
	info
	r     io.Reader
	close func() error
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *file) Read(b []byte) (int, error) {
	if f.r == nil {
		return 0, &fs.PathError{Op: "read", Path: f.base, Err: fs.ErrInvalid}
	}
	return f.r.Read(b)
}

func (f *file) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

type info struct {
	base string
	e    *entry
}

func (i info) Name() string       { return i.base }
func (i info) Size() int64        { return i.e.header.Size }
func (i info) Mode() fs.FileMode  { return i.e.header.FileInfo().Mode() }
func (i info) ModTime() time.Time { return i.e.header.ModTime }
func (i info) IsDir() bool        { return i.e.header.Typeflag == tar.TypeDir }
func (i info) Sys() any           { return i.e.sys }
