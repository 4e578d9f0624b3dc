package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/internal/live"
)

// Limits are how much the layers of an image may take. More is an error, so that no archive fills
// the memory or takes hours.
type limits struct {
	bytes  int64 // of all layers, uncompressed
	memory int   // bytes for the files' names and attributes, about
	steps  int   // from a folder to a file in it
}

// usual are enough for the largest images that are in use.
func usual() limits { return limits{bytes: 32 << 30, memory: 512 << 20, steps: 50_000_000} }

const (
	maxPath  = 4096 // bytes of a path or of a link (PATH_MAX)
	maxName  = 255  // bytes of one file's name (NAME_MAX)
	maxStamp = 64   // bytes of security.capability, which has 24 at most
	nodeSize = 256  // bytes of memory for a file, about
)

// A tree is the file system of some layers.
type tree struct {
	layers []v1.Layer
	root   *node
	left   limits // what the layers may take yet
}

// A node is a file of a tree.
type node struct {
	mode fs.FileMode
	size int64
	link string // what a symbolic link names
	sys  *preflight.Attributes

	top      int // the layer that put it there
	layer, n int // the layer that has its content, and the number of the file in it

	children map[string]*node // of a folder
}

func folder(top int) *node {
	return &node{mode: fs.ModeDir | 0o755, sys: &preflight.Attributes{}, top: top, children: map[string]*node{}}
}

// newTree returns the file system that layers make, the lowest first.
func newTree(layers []v1.Layer, most limits) (*tree, error) {
	t := &tree{layers: layers, root: folder(0), left: most}
	for top := range layers {
		if err := t.add(top); err != nil {
			return nil, fmt.Errorf("layer %d: %w", top+1, err)
		}
	}
	t.left = most // for who reads it
	return t, nil
}

// add puts a layer on top of the others.
func (t *tree) add(top int) error {
	r, err := t.layers[top].Uncompressed()
	if err != nil {
		return err
	}
	defer r.Close()
	archive := tar.NewReader(&limited{r, &t.left.bytes})
	for n := 0; ; n++ {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.put(top, n, h); err != nil {
			return fmt.Errorf("%.100q: %w", h.Name, err)
		}
	}
}

const whiteout, opaque = ".wh.", ".wh..wh..opq"

// put adds one file of a layer, or takes away what its whiteout names (the image specification's
// layer.md).
func (t *tree) put(top, n int, h *tar.Header) error {
	name := path.Join("/", h.Name)
	if len(name) > maxPath || len(h.Linkname) > maxPath {
		return fmt.Errorf("its path is longer than %d bytes", maxPath)
	}
	dir, err := t.makeFolder(path.Dir(name), top)
	if err != nil || name == "/" {
		return err
	}
	base := path.Base(name)
	gone, isWhiteout := strings.CutPrefix(base, whiteout)
	old := dir.children[base]
	switch {
	case h.Typeflag == tar.TypeXGlobalHeader: // which is no file
		return nil
	case base == opaque:
		return t.clear(dir, top)
	case isWhiteout:
		return t.remove(dir, gone, top)
	case h.Typeflag == tar.TypeLink:
		target, err := t.target(h.Linkname)
		if err != nil {
			return err
		}
		linked := *target
		linked.top = top
		return t.set(dir, base, &linked)
	case h.Typeflag == tar.TypeDir && old != nil && old.mode.IsDir():
		old.mode, old.sys, old.top = h.FileInfo().Mode(), attributes(h), top
		return nil
	}
	made := &node{mode: h.FileInfo().Mode(), size: h.Size, sys: attributes(h), top: top, layer: top, n: n}
	switch h.Typeflag {
	case tar.TypeDir:
		made.children = map[string]*node{}
	case tar.TypeSymlink:
		made.link = h.Linkname
	}
	return t.set(dir, base, made)
}

// attributes returns what execve sees of a file. What is too long for a capability is kept as far
// as it shows that.
func attributes(h *tar.Header) *preflight.Attributes {
	a := &preflight.Attributes{UID: uint32(h.Uid), GID: uint32(h.Gid)}
	if value, ok := h.PAXRecords["SCHILY.xattr.security.capability"]; ok {
		a.Capability = []byte(value[:min(len(value), maxStamp)])
	}
	return a
}

// target finds the file that a hard link names.
func (t *tree) target(name string) (*node, error) {
	name = path.Join("/", name)
	dir, err := live.Resolve(t, path.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("it links to nothing: %w", err)
	}
	target, err := t.find("link", strings.TrimPrefix(path.Join(dir, path.Base(name)), "/"))
	if err != nil || target.mode.IsDir() {
		return nil, errors.New("it links to nothing")
	}
	return target, nil
}

// makeFolder returns the folder of a path, and makes what of it no layer has.
func (t *tree) makeFolder(name string, top int) (*node, error) {
	at, err := live.Resolve(t, name)
	if err == nil {
		dir, err := t.find("open", strings.TrimPrefix(at, "/"))
		if err == nil && !dir.mode.IsDir() {
			err = fmt.Errorf("%q is no folder", at)
		}
		return dir, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	parent, err := t.makeFolder(path.Dir(name), top)
	if err != nil {
		return nil, err
	}
	base := path.Base(name)
	if parent.children[base] != nil {
		return nil, fmt.Errorf("%q is a link that leads nowhere", name)
	}
	made := folder(top)
	return made, t.set(parent, base, made)
}

// set puts a file into a folder.
func (t *tree) set(dir *node, base string, made *node) error {
	if len(base) > maxName {
		return fmt.Errorf("its name is longer than %d bytes", maxName)
	}
	if t.left.memory -= nodeSize + len(base) + len(made.link); t.left.memory < 0 {
		return errors.New("the image has too many files")
	}
	dir.children[base] = made
	return nil
}

// clear takes what lower layers have out of a folder.
func (t *tree) clear(dir *node, top int) error {
	for base := range dir.children {
		if err := t.remove(dir, base, top); err != nil {
			return err
		}
	}
	return nil
}

// remove takes a file of lower layers away, and all that is below it.
func (t *tree) remove(dir *node, base string, top int) error {
	gone := dir.children[base]
	if gone == nil {
		return nil
	}
	if err := t.step(); err != nil {
		return err
	}
	if err := t.clear(gone, top); err != nil {
		return err
	}
	if gone.top != top && len(gone.children) == 0 {
		delete(dir.children, base)
	}
	return nil
}

func (t *tree) step() error {
	if t.left.steps--; t.left.steps < 0 {
		return errors.New("its folders and links take too long to follow")
	}
	return nil
}

// find returns the file of a path without a leading slash. It follows no link.
func (t *tree) find(op, name string) (*node, error) {
	at := t.root
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." {
			continue
		}
		if err := t.step(); err != nil {
			return nil, err
		}
		if at = at.children[part]; at == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return at, nil
}

// limited ends a stream that is longer than it may be.
type limited struct {
	r    io.Reader
	left *int64
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if *l.left -= int64(n); *l.left < 0 {
		return 0, errors.New("the image is too long") // io.ReadFull returns no error with enough bytes
	}
	return n, err
}
