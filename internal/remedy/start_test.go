package remedy

import (
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// setpriv gives the program the groups that it has now.
func TestKeepsGroups(t *testing.T) {
	unknown := facts.Fact[[]uint32]{Reason: "EACCES"}
	for _, tt := range []struct {
		name       string
		has, usual facts.Fact[[]uint32]
		want       string
	}{
		{"those of the user", known([]uint32{1000, 27}), known([]uint32{27, 1000, 27}), "--init-groups"},
		{"one more", known([]uint32{1, 1000}), known([]uint32{1000}), "--groups=1,1000"},
		{"one less", known([]uint32{1000}), known([]uint32{1000, 27}), "--groups=1000"},
		{"none", known([]uint32(nil)), known([]uint32{1000}), "--clear-groups"},
		{"those of a user that cannot be looked up", known([]uint32{1, 1000}), unknown, "--groups=1,1000"},
		{"an older recording", known([]uint32{1, 1000}), facts.Fact[[]uint32]{Reason: facts.NotRecorded}, "--init-groups"},
		{"not started yet", facts.Fact[[]uint32]{}, facts.Fact[[]uint32]{}, "--init-groups"},
	} {
		f := app(func(f *facts.Facts) { f.Proc.Groups, f.Command.Groups = tt.has, tt.usual })
		words, _, ok := asUser(&f)
		if !ok || words[3] != tt.want {
			t.Errorf("%s: %q, %v", tt.name, words, ok)
		}
	}
}

// Where no sudo is installed, whoever runs the commands is root. What is installed in a jail or in an
// image says nothing of the place where they are run.
func TestWithoutSudo(t *testing.T) {
	lacks := func(f *facts.Facts) { f.Launcher.Tools = known(facts.Tools{Setpriv: true}) }
	elsewhere := func(f *facts.Facts) { f.Launcher.Operator.Value.SameRoot = false }
	nobody := func(at facts.Fact[string]) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Launcher.Operator, f.File.PathSeenByOperator = facts.Fact[facts.Operator]{}, at
		}
	}
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    bool // without sudo
	}{
		{"it is there", []func(*facts.Facts){func(f *facts.Facts) { f.Launcher.Tools = known(facts.Tools{Sudo: true, Setpriv: true}) }}, false},
		{"not known", nil, false},
		{"it is not there", []func(*facts.Facts){lacks}, true},
		{"not where the program is", []func(*facts.Facts){lacks, elsewhere}, false},
		{"not there, and the shell is not known", []func(*facts.Facts){lacks, nobody(known(""))}, true},
		{"not in a jail", []func(*facts.Facts){lacks, nobody(none[string]())}, false},
		{"not in an image", []func(*facts.Facts){lacks, docker}, false},
	} {
		for _, fix := range fixesOf(app(tt.changes...), low) {
			uses := slices.ContainsFunc(fix.Steps, func(s report.Step) bool { return strings.HasPrefix(s.Run+s.Start, "sudo ") })
			edits := slices.ContainsFunc(fix.Steps, func(s report.Step) bool { return s.Edit != "" })
			if !edits && uses == tt.want {
				t.Errorf("%s: %s: %+v", tt.name, fix.ID, fix.Steps)
			}
		}
	}
}
