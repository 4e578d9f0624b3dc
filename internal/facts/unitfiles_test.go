package facts

import (
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

// The drop-ins of a unit are those of each of its names.
func TestUnitDropIns(t *testing.T) {
	link := func(to string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink} }
	file := func() *fstest.MapFile { return &fstest.MapFile{} }
	root := fstest.MapFS{
		"lib/httpd.service":                 link("apache2.service"),
		"lib/apache2.service":               file(),
		"etc/www.service":                   link("/lib/httpd.service"),
		"etc/apache2.service":               link("/dev/null"),
		"etc/other.socket":                  link("apache2.service"),
		"etc/www.service.d/30-www.conf":     file(),
		"lib/httpd.service.d/20-httpd.conf": file(),
		"etc/apache2.service.d/10-a.conf":   file(),
		"lib/apache2.service.d/10-a.conf":   file(),
		"etc/other.socket.d/no.conf":        file(),

		"lib/getty@.service":              file(),
		"lib/console@.service":            link("getty@.service"),
		"etc/console@1.service.d/c.conf":  file(),
		"etc/console@2.service.d/no.conf": file(),
		"etc/getty@.service.d/g.conf":     file(),

		"lib/a-b-c.service":            file(),
		"etc/a-.service.d/prefix.conf": file(),
		"etc/b.service.d/no.conf":      file(),
		"etc/service.d/zz.conf":        file(),
	}
	for _, tt := range []struct {
		unit string
		want []string
	}{
		{"apache2.service", []string{"etc/apache2.service.d/10-a.conf", "lib/httpd.service.d/20-httpd.conf", "etc/www.service.d/30-www.conf", "etc/service.d/zz.conf"}},
		{"www.service", []string{"etc/apache2.service.d/10-a.conf", "lib/httpd.service.d/20-httpd.conf", "etc/www.service.d/30-www.conf", "etc/service.d/zz.conf"}},
		{"getty@1.service", []string{"etc/console@1.service.d/c.conf", "etc/getty@.service.d/g.conf", "etc/service.d/zz.conf"}},
		{"a-b-c.service", []string{"etc/a-.service.d/prefix.conf", "etc/service.d/zz.conf"}},
		{"none.service", []string{"etc/service.d/zz.conf"}},
	} {
		got, err := UnitDropIns(root, tt.unit, []string{"etc", "lib"})
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v", tt.unit, got, err)
		}
	}
}
