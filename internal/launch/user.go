package launch

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Here is a start by this process, as it is.
func Here(f facts.Facts) facts.Facts {
	f.Launch.Starter = f.Proc.Thread
	return f
}

// AsUser is a start by this process as another user, as setpriv, su or sudo do
// it: all ids change at once, and what that leaves of the capabilities is left
// (capset is not called). Where this process may not change them, the start is by
// a root with the same bounding set.
func AsUser(f facts.Facts, who facts.Account) facts.Facts { return asUser(f, who, 0) }

// AsUserKeeping is the same by what keeps its permitted set until it executes the program, as
// setpriv(1) does (PR_SET_KEEPCAPS).
func AsUserKeeping(f facts.Facts, who facts.Account) facts.Facts {
	return asUser(f, who, caps.KeepCaps)
}

func asUser(f facts.Facts, who facts.Account, bits caps.Securebits) facts.Facts {
	f.Launcher.SharesFS = f.Launcher.SharesFS.Now(false) // what changes the user shares nothing
	now, okThread := f.Proc.Thread.Is()
	ids, okIDs := f.Proc.IDs.Is()
	if !okThread || !okIDs {
		f.Launch.Starter = facts.Fact[caps.State]{Source: f.Proc.Thread.Source, Reason: f.Proc.Thread.Reason + f.Proc.IDs.Reason}
		return as(f, who)
	}
	f.Launcher.Ancestor = facts.Fact[facts.Ancestor]{Value: facts.Ancestor{State: now, IDs: ids}, State: facts.Known, Source: f.Proc.Thread.Source}
	old := caps.UIDs{Real: ids.UID, Effective: ids.EUID, Saved: ids.EUID}
	if !now.Effective.Has(caps.SETUID) && (ids.UID != who.UID || ids.EUID != who.UID) {
		now = caps.State{Permitted: now.Bounding, Effective: now.Bounding, Bounding: now.Bounding, NoNewPrivs: now.NoNewPrivs}
		old = caps.UIDs{}
	}
	now.Securebits |= bits
	f.Launch.Starter = f.Proc.Thread.Now(now.SetUIDs(old, caps.UIDs{Real: who.UID, Effective: who.UID, Saved: who.UID}))
	return as(f, who)
}

// as makes the facts those of an account.
func as(f facts.Facts, who facts.Account) facts.Facts {
	f.Proc.IDs = f.Proc.IDs.Now(facts.IDs{UID: who.UID, EUID: who.UID, GID: who.GID, EGID: who.GID})
	f.Command.User = f.Command.User.None()
	f.Proc.Groups, f.Command.Groups = facts.Fact[[]uint32]{}, facts.Fact[[]uint32]{} // those of the account, as initgroups(3) gives them
	if who.Name != "" {
		f.Command.User = f.Command.User.Now(who.Name)
	}
	return f
}

// Through is a start through a wrapper which, once executed, is that thread: it makes its
// changes and executes the next program as who. The error says that it may not.
func Through(f facts.Facts, thread facts.Fact[caps.State], w Wrap, who facts.Account) (facts.Facts, error) {
	ids, ok := f.Proc.IDs.Is()
	if f.Launch.Starter = thread; thread.State != facts.Known || !ok {
		return f, nil
	}
	old := caps.UIDs{Real: ids.UID, Effective: ids.EUID, Saved: ids.EUID}
	next := old
	if w.User != "" {
		next = caps.UIDs{Real: who.UID, Effective: who.UID, Saved: who.UID}
	}
	held, err := w.Apply(thread.Value, old, next)
	if err != nil {
		return f, err
	}
	f.Launch.Starter = thread.Now(held)
	if w.User != "" && w.Forks { // it stays, as its parent
		f.Launcher.Ancestor = facts.Fact[facts.Ancestor]{Value: facts.Ancestor{State: thread.Value, IDs: ids}, State: facts.Known, Source: thread.Source}
	}
	if w.User != "" {
		f = as(f, who)
	}
	f.Launch.Changed = f.Launch.Changed || w.regrants()
	return f, nil
}
