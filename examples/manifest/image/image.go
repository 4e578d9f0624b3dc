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
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// The bounds of what describes an image. One beyond them is an error.
const (
	maxLayers  = 512
	maxJSON    = 16 << 20 // bytes of an index, a manifest or a configuration
	maxArchive = 100_000  // files of an archive
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
		return nil, errLayers
	}
	t, err := newTree(layers, usual())
	if err != nil {
		return nil, err
	}
	return &Image{Config: config.Config, tree: t}, nil
}

func ofArchive(name string) (v1.Image, []string, error) {
	open := func() (io.ReadCloser, error) { return os.Open(name) }
	if err := describes(open, "manifest.json"); err != nil {
		return nil, nil, fmt.Errorf("it is no archive of docker save: %w", err)
	}
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return nil, nil, fmt.Errorf("it is no archive of docker save: %w", err)
	}
	if len(manifest) != 1 {
		return nil, nil, fmt.Errorf("it has %d images: save one", len(manifest))
	}
	if len(manifest[0].Layers) > maxLayers {
		return nil, nil, errLayers
	}
	if err := describes(open, manifest[0].Config); err != nil {
		return nil, nil, err
	}
	i, err := tarball.Image(open, nil)
	return i, manifest[0].RepoTags, err
}

var errLayers = fmt.Errorf("it has more than %d layers", maxLayers)

// describes refuses an archive whose file of that name would take much memory to read.
func describes(open tarball.Opener, name string) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	archive := tar.NewReader(r)
	for range maxArchive {
		h, err := archive.Next()
		switch {
		case err == io.EOF:
			return fmt.Errorf("it has no %s", name)
		case err != nil:
			return err
		case path.Clean(h.Name) != path.Clean(name):
		case h.Typeflag != tar.TypeReg || h.Size > maxJSON:
			return fmt.Errorf("its %s is no file of at most %d bytes", name, maxJSON)
		default:
			return nil
		}
	}
	return fmt.Errorf("it has more than %d files", maxArchive)
}

func ofLayout(dir string) (v1.Image, []string, error) {
	if err := short(filepath.Join(dir, "index.json")); err != nil {
		return nil, nil, fmt.Errorf("it is no OCI layout: %w", err)
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("it is no OCI layout: %w", err)
	}
	return choose(dir, index, 0)
}

// short refuses a file that would take much memory to read.
func short(name string) error {
	info, err := os.Stat(name)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxJSON) {
		err = fmt.Errorf("%s is no file of at most %d bytes", name, maxJSON)
	}
	return err
}

// blob is the file of a layout that has a digest.
func blob(dir string, h v1.Hash) string { return filepath.Join(dir, "blobs", h.Algorithm, h.Hex) }

// choose finds the image for Linux in an index, or in one that it names.
func choose(dir string, index v1.ImageIndex, depth int) (v1.Image, []string, error) {
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
	if err := short(blob(dir, d.Digest)); err != nil {
		return nil, nil, err
	}
	if d.MediaType.IsIndex() {
		inner, err := index.ImageIndex(d.Digest)
		if err != nil {
			return nil, nil, err
		}
		i, more, err := choose(dir, inner, depth+1)
		return i, append(names, more...), err
	}
	i, err := index.Image(d.Digest)
	if err != nil {
		return nil, nil, err
	}
	described, err := i.Manifest()
	switch {
	case err != nil:
		return nil, nil, err
	case len(described.Layers) > maxLayers:
		return nil, nil, errLayers
	}
	return i, names, short(blob(dir, described.Config.Digest))
}
