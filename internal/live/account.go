package live

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"time"

	"github.com/lowport/lowport/internal/facts"
)

// LookAccount looks up a user and a group, each by name or by number. An empty name is root, an
// empty group the user's own; a number without an account has the group of the same number.
// The look-up may ask a directory service over the network, so LookAccount gives up after
// ten seconds.
func LookAccount(name, group string) (facts.Account, error) {
	type answer struct {
		facts.Account
		err error
	}
	found := make(chan answer, 1)
	go func() {
		a, err := lookAccount(name, group)
		found <- answer{a, err}
	}()
	select {
	case a := <-found:
		return a.Account, a.err
	case <-time.After(10 * time.Second):
		return facts.Account{}, errors.New("the user database did not answer in time")
	}
}

func lookAccount(name, group string) (facts.Account, error) {
	a := facts.Account{Name: "root"}
	if name != "" {
		u, err := user.Lookup(name)
		number, errNumber := strconv.ParseUint(name, 10, 32)
		if err != nil && errNumber == nil {
			u, err = user.LookupId(name)
		}
		var unknown user.UnknownUserIdError
		switch {
		case errNumber == nil && errors.As(err, &unknown):
			a = facts.Account{UID: uint32(number), GID: uint32(number)}
		case err != nil:
			return a, err
		default:
			if a, err = accountOf(u); err != nil {
				return a, err
			}
		}
	}
	if group != "" {
		gid, err := lookGroup(group)
		if err != nil {
			return a, err
		}
		a.GID = gid
	}
	if !slices.Contains(a.Groups, a.GID) {
		a.Groups = append(a.Groups, a.GID)
	}
	return a, nil
}

func accountOf(u *user.User) (facts.Account, error) {
	a := facts.Account{Name: u.Username}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(errUID, errGID); err != nil {
		return a, fmt.Errorf("user %s: %w", u.Username, err)
	}
	a.UID, a.GID = uint32(uid), uint32(gid)
	groups, err := u.GroupIds()
	if err != nil {
		return a, err
	}
	for _, g := range groups {
		gid, err := strconv.ParseUint(g, 10, 32)
		if err != nil {
			return a, fmt.Errorf("user %s: %w", u.Username, err)
		}
		a.Groups = append(a.Groups, uint32(gid))
	}
	return a, nil
}

func lookGroup(name string) (uint32, error) {
	g, err := user.LookupGroup(name)
	if err == nil {
		name = g.Gid
	}
	gid, errNumber := strconv.ParseUint(name, 10, 32)
	if errNumber != nil {
		return 0, err
	}
	return uint32(gid), nil
}
