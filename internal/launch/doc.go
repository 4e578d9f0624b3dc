// Package launch says what a program is started with: the facts as they are if this process,
// another user or systemd executes it. Package kernel then says what the program holds once
// it runs.
//
// It reads units as systemd 249 to 262 do; if these differ, as the installed version does
// ([BuildOf]). It knows of each directive what that changes about a bind. It guesses nothing:
// what cannot be told of a unit from outside it reports as a doubt.
package launch
