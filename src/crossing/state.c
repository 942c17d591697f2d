#include "crossing/state.h"
#include "crossing/internal.h"
#include <pthread.h>
#include <stdlib.h>

/* One bit for each interpreter that ever had a state, cleared when the state is swept. Read while marking, with the world stopped. */
static uint64_t *alive;
static size_t alive_words;
static pthread_mutex_t alive_lock = PTHREAD_MUTEX_INITIALIZER;

static bool set_alive(int64_t id)
{
    size_t word = (size_t)id / 64;
    pthread_mutex_lock(&alive_lock);
    if (word >= alive_words) {
        size_t words = TY_MAX(word + 1, alive_words * 2);
        uint64_t *grown = realloc(alive, words * sizeof *grown);
        if (grown) {
            memset(grown + alive_words, 0, (words - alive_words) * sizeof *grown);
            alive = grown;
            alive_words = words;
        }
    }
    bool room = word < alive_words;
    if (room)
        alive[word] |= (uint64_t)1 << (id % 64);
    pthread_mutex_unlock(&alive_lock);
    return room;
}

bool ty_crossing_alive(int64_t id)
{
    size_t word = (size_t)id / 64;
    pthread_mutex_lock(&alive_lock);
    bool is = word < alive_words && (alive[word] >> (id % 64) & 1);
    pthread_mutex_unlock(&alive_lock);
    return is;
}

static void state_trace(TyObject *self, TyMarker *marker)
{
    TyCrossingState *state = (TyCrossingState *)self;
    ty_mark_range(marker, &state->handlers, 3);
}

static void state_destroy(TyObject *self)
{
    int64_t id = ((TyCrossingState *)self)->id;
    pthread_mutex_lock(&alive_lock);
    if ((size_t)id / 64 < alive_words)
        alive[id / 64] &= ~((uint64_t)1 << (id % 64));
    pthread_mutex_unlock(&alive_lock);
}

TyType ty_crossing_state_type = {
    .base = TY_STATIC_HEADER(ty_type_type), .layout = { .size = sizeof(TyCrossingState), .trace = state_trace, .destroy = state_destroy },
    .flags = TY_TYPE_FINAL | TY_TYPE_IMMUTABLE | TY_TYPE_NO_NEW, .name = "crossing_state",
};

TyCrossingState *ty_crossing_state(bool make)
{
    TyInterpreter *interpreter = ty_interpreter();
    Value there = ty_field_acquire(&interpreter->crossing);
    if (there != TY_NULL || !make)
        return (TyCrossingState *)ty_object(there);
    TyCrossingState *state = ty_allocate(&ty_crossing_state_type, sizeof *state);
    if (!state)
        return NULL;
    state->id = interpreter->id;
    Value *dicts[] = { &state->handlers, &state->installed, &state->namespaces };
    for (size_t i = 0; i < TY_COUNT_OF(dicts); i++) {
        Value dict = ty_dict_new();
        if (dict == TY_NULL)
            return NULL;
        ty_store(state, dicts[i], dict);
    }
    if (!set_alive(state->id)) {
        ty_raise_memory_error();
        return NULL;
    }
    Value none = TY_NULL;
    if (!__atomic_compare_exchange_n(&interpreter->crossing, &none, ty_from_object(state), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        state->id = INT64_MAX; /* another thread was first: this one's end means nothing */
        return (TyCrossingState *)ty_object(none);
    }
    return state;
}
