package lowport_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"testing"
)

// The README.md of examples/deploy leads to each of its files, and to none that is not there.
func TestDeployReadme(t *testing.T) {
	const dir = "examples/deploy"
	named := map[string]bool{"README.md": true}
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(text(t, dir+"/README.md"), -1) {
		text(t, filepath.Join(dir, m[1]))
		named[m[1]] = true
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "bin" || name == "check"):
			return filepath.SkipDir
		case !d.IsDir() && !named[name]:
			t.Errorf("%s does not name %s", dir, name)
		}
		return nil
	})
	if err != nil || len(named) < 10 {
		t.Errorf("%d files are named: this test sees too little: %v", len(named), err)
	}
}
