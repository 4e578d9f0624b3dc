package remedy

import (
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// setpriv starts the program as the same user with an ambient capability, where the
// user is the same outside and the network can be entered.
func setpriv(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	ids := f.Proc.IDs.Value
	user, okUser := asUser(f)
	exe, okExe := program(f)
	args, okArgs := f.Command.Args.Is()
	enter, okNet := entering(f)
	if !okNet || !okUser || !okExe || !okArgs || len(args) == 0 || ids.UID == 0 || goRun(f) {
		return candidate{}, false
	}
	set := strings.TrimPrefix(g.Need().Setpriv(), "-all,") // added to what sudo's root has, as the documents do
	line := append(user, "--inh-caps="+set, "--ambient-caps="+set)
	if w.Starter.NoNewPrivs {
		line = append(line, "--no-new-privs")
	}
	line = append(append(append(enter, line...), "--", exe), args[1:]...)
	return candidate{
		Fix: report.Fix{ID: "setpriv", Scope: "file", Summary: "for one start of the program", Lasts: "until it ends", Steps: []report.Step{{Start: sudo(&facts.Facts{}, line...)}}},
		change: func(w kernel.World) kernel.World {
			w.Caller = facts.IDs{UID: ids.UID, EUID: ids.UID, GID: ids.GID, EGID: ids.GID} // which the file may change again
			w.Starter = kernel.Ambient(w.Starter, g.Need()&w.Starter.Bounding)
			return w.Start()
		},
	}, true
}

// asUser is how setpriv(1) makes root the user of this process, with the groups that the
// user has. A set-ID file has two users.
func asUser(f *facts.Facts) (words []string, ok bool) {
	ids, ok := f.Proc.IDs.Is()
	user, groups := strconv.Itoa(int(ids.UID)), "--clear-groups"
	if name, ok := f.Command.User.Is(); ok {
		user, groups = name, "--init-groups"
	}
	return []string{"setpriv", "--reuid=" + user, "--regid=" + strconv.Itoa(int(ids.GID)), groups}, ok && ids.UID == ids.EUID && sameUser(f, ids.UID)
}

// sameUser says whether a uid of this user namespace is the same one outside, unless
// it is known to be otherwise.
func sameUser(f *facts.Facts, uid uint32) bool {
	out, ok := idMap(f).Outside(uid)
	return f.Net.UIDMap.State != facts.Known || ok && out == uid
}

// idMap is the map of the user namespace's uids; nil where it is not known.
func idMap(f *facts.Facts) caps.IDMap {
	rows, _ := f.Net.UIDMap.Is()
	m, _ := caps.ParseIDMap([]byte(strings.ReplaceAll(rows, ", ", "\n") + "\n"))
	return m
}
