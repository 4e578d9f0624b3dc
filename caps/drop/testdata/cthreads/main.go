// Cthreads drops everything in a program with threads that Go knows nothing
// about: ten that sleep, and others that come and go.
package main

/*
#include <pthread.h>
#include <unistd.h>

static void *nap(void *forever) {
	do { usleep(500); } while (forever);
	return NULL;
}

static void *churn(void *unused) {
	for (;;) {
		pthread_t t;
		if (pthread_create(&t, NULL, nap, NULL) == 0) pthread_join(t, NULL);
	}
}

static int start(void) {
	pthread_t t;
	int i, failed = pthread_create(&t, NULL, churn, NULL);
	for (i = 0; i < 10; i++) failed |= pthread_create(&t, NULL, nap, &failed);
	return failed;
}
*/
import "C"

import (
	"log"
	"os"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

func main() {
	if C.start() != 0 {
		log.Fatal("pthread_create")
	}
	if err := drop.All(); err != nil {
		log.Fatal(err)
	}
	threads, err := caps.Threads(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	if len(threads) < 12 {
		log.Fatalf("only %d threads", len(threads))
	}
	for tid, s := range threads {
		if s.Inheritable|s.Permitted|s.Effective|s.Ambient != 0 || !s.NoNewPrivs {
			log.Fatalf("thread %d: %+v", tid, s)
		}
	}
}
