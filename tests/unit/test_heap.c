#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
/* The heap on its own: graphs, threads, weak references, finalizers, exhaustion. The layers above are played by a few types here. */
#include "heap/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct TestType {
    TyObject base;
    TyLayout layout;
} TestType;

typedef struct Node {
    TyObject base;
    Value first, second;
    int64_t number;
} Node;

typedef struct Array {
    TyObject base;
    int64_t count;
    Value items[];
} Array;

typedef struct Weak {
    TyObject base;
    TyWeakLink link;
    Value tag;
} Weak;

static _Atomic int memory_errors, destroyed, finalized, callbacks;
static Value resurrected;

#define CHECK(condition)                                                                    \
    do {                                                                                    \
        if (!(condition)) {                                                                 \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                        \
        }                                                                                   \
    } while (0)

Value ty_raise_memory_error(void)
{
    memory_errors++;
    return TY_ERROR;
}
void ty_thread_trace(TyThread *thread, TyMarker *marker) { ty_mark(marker, thread->storage); }
void ty_thread_stack_trace(TyThread *thread, TyMarker *marker) { ty_mark_conservative(marker, thread->c_stack_scan, thread->c_stack_base); }
void ty_weak_callbacks(TyObject **references, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(ty_weak_get(&((Weak *)references[i])->link) == TY_NULL);
        callbacks++;
    }
}

static void trace_node(TyObject *o, TyMarker *marker)
{
    ty_mark(marker, ty_field(&((Node *)o)->first));
    ty_mark(marker, ty_field(&((Node *)o)->second));
}
static void trace_array(TyObject *o, TyMarker *marker)
{
    ty_mark_range(marker, ((Array *)o)->items, (size_t)((Array *)o)->count);
}
static void trace_weak(TyObject *o, TyMarker *marker) { ty_mark(marker, ((Weak *)o)->tag); }
static void destroy_node(TyObject *o)
{
    CHECK(((Node *)o)->number == 77);
    destroyed++;
}
static int64_t order[64];
static bool finalize_node(TyObject *o)
{
    int at = finalized++;
    if (at < 64)
        order[at] = ((Node *)o)->number;
    if (((Node *)o)->number == 1000)
        resurrected = ty_from_object(o);
    return true;
}

static TestType node_type = {.layout = {.size = sizeof(Node), .trace = trace_node}};
static TestType array_type = {.layout = {.size = sizeof(Array), .trace = trace_array}};
static TestType weak_type = {.layout = {.size = sizeof(Weak), .trace = trace_weak}};
static TestType native_type = {.layout = {.size = sizeof(Node), .trace = trace_node, .destroy = destroy_node}};
static TestType final_type = {.layout = {.size = sizeof(Node), .trace = trace_node, .finalize = finalize_node}};

#define TYPE(t) ((TyType *)(void *)&(t))

static Node *node(TestType *type, Value first, int64_t number)
{
    Node *n = ty_allocate((TyType *)(void *)type, sizeof(Node));
    CHECK(n && !n->first && !n->second && !n->number);
    ty_store(n, &n->first, first);
    n->number = number;
    return n;
}

static TyInterpreter *const interpreter = (TyInterpreter *)16;

/* Overwrites what calls left on the stack, so that conservative scanning finds no stale pointers. */
static __attribute__((noinline)) void scrub(void)
{
    volatile char room[16384];
    memset((void *)room, 0, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory");
}
static void collect(void)
{
    scrub();
    ty_heap_collect();
}

/* --- tests ----------------------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) Value chain(int64_t length)
{
    Value list = TY_NULL;
    for (int64_t i = 0; i < length; i++)
        list = ty_from_object(node(&node_type, list, i));
    return list;
}

static void check_chain(Value list, int64_t length)
{
    for (int64_t i = length; i-- > 0;) {
        Node *n = (Node *)ty_object(list);
        CHECK(ty_object_type(&n->base) == TYPE(node_type) && n->number == i);
        list = n->first;
    }
    CHECK(list == TY_NULL);
}

static Value root;

static void test_classes(void)
{
    for (size_t size = 16; size <= TY_HEAP_FAST_MAX; size++) {
        CHECK(ty_heap_cell_size(size) >= size && ty_heap_cell_size(size) % 16 == 0);
        CHECK(ty_heap_class(size) < TY_HEAP_FAST_CLASSES);
        CHECK(ty_heap_class(size) == ty_heap_class(ty_heap_cell_size(size)));
        CHECK(ty_heap_cell_size(size) - size < TY_MAX(16u, size / 4));
    }
    for (size_t size = sizeof(Array); size < 200000; size += size / 7 + 1) {
        char *o = ty_allocate(TYPE(node_type), size);
        CHECK(o && ty_heap_object_size((TyObject *)o) >= size);
        for (size_t i = sizeof(TyObject); i < size; i++)
            CHECK(o[i] == 0);
        CHECK(ty_heap_object_at(o + size - 1) == (TyObject *)o);
        CHECK(ty_heap_object_at(o) == (TyObject *)o);
        memset(o + sizeof(TyObject) + 16, 0xAB, size > 64 ? size - 64 : 0);
        ((TyObject *)o)->type = TYPE(weak_type); /* a type whose trace reads nothing of that but the tag */
        ((TyObject *)o)->type = TYPE(array_type);
        ((Array *)o)->count = 0;
    }
}

static void test_deep(int64_t length)
{
    root = chain(length);
    collect();
    check_chain(root, length);
    root = TY_NULL;
    collect();
    CHECK(ty_heap_statistics().freed_objects >= (uint64_t)length - 50);
}

enum { LARGE = 300000 };

/* The only reference that is left is an interior pointer. */
static __attribute__((noinline)) void use_large(void)
{
    Array *array = ty_allocate(TYPE(array_type), sizeof(Array) + LARGE * sizeof(Value));
    array->count = LARGE;
    root = ty_from_object(array);
    for (size_t i = 0; i < LARGE; i++)
        ty_store(array, &array->items[i], ty_from_object(node(&node_type, TY_NULL, (int64_t)i)));
    Value *volatile interior = &array->items[LARGE - 1];
    root = TY_NULL;
    array = NULL;
    collect();
    CHECK(((Node *)ty_object(*interior))->number == LARGE - 1);
    interior = NULL;
}

static void test_large(void)
{
    use_large();
    uint64_t live = ty_heap_statistics().live_bytes;
    collect();
    CHECK(ty_heap_statistics().live_bytes < live - LARGE * 40);
}

static __attribute__((noinline)) void make_natives(int count)
{
    for (int i = 0; i < count; i++)
        node(&native_type, TY_NULL, 77);
}

static void test_destroy(void)
{
    destroyed = 0;
    make_natives(1000);
    collect();
    CHECK(destroyed >= 990 && destroyed <= 1000);
}

static __attribute__((noinline)) Weak *weak_to(Value referent, bool callback)
{
    Weak *weak = ty_allocate(TYPE(weak_type), sizeof(Weak));
    if (callback)
        ty_object_set_bits(&weak->base, TY_WEAK_HAS_CALLBACK);
    CHECK(ty_weak_register(ty_object(referent), &weak->base, &weak->link));
    return weak;
}

static __attribute__((noinline)) void make_weak(Array *array)
{
    for (int i = 0; i < array->count; i++) {
        Node *n = node(&node_type, TY_NULL, i);
        Weak *weak = weak_to(ty_from_object(n), i % 2);
        ty_store(array, &array->items[i], ty_from_object(weak));
        if (i % 10 == 0)
            ty_store(weak, &weak->tag, ty_from_object(n));
    }
}

static void test_weak(void)
{
    Array *array = ty_allocate(TYPE(array_type), sizeof(Array) + 1000 * sizeof(Value));
    array->count = 1000;
    root = ty_from_object(array);
    make_weak(array);
    callbacks = 0;
    collect();
    int alive = 0;
    for (int i = 0; i < 1000; i++) {
        Weak *weak = (Weak *)ty_object(array->items[i]);
        alive += ty_weak_get(&weak->link) != TY_NULL;
        if (i % 10 == 0)
            CHECK(ty_weak_get(&weak->link) == weak->tag);
    }
    CHECK(alive >= 100 && alive < 110);
    CHECK(callbacks == 0 && ty_heap_pending());
    ty_heap_run_pending();
    CHECK(callbacks > 490 && callbacks <= 500);
    root = TY_NULL;
}

static __attribute__((noinline)) void make_final(void)
{
    Node *file = node(&final_type, TY_NULL, 1), *buffer = node(&final_type, ty_from_object(file), 2);
    node(&final_type, ty_from_object(buffer), 3);
    Node *inner = node(&node_type, TY_NULL, 4);
    node(&final_type, ty_from_object(inner), 1000);
    Node *one = node(&final_type, TY_NULL, 5), *other = node(&final_type, ty_from_object(one), 6);
    ty_store(one, &one->first, ty_from_object(other));
}

static void test_finalizers(void)
{
    finalized = 0;
    make_final();
    collect();
    CHECK(finalized == 0);
    ty_heap_run_pending();
    CHECK(finalized == 6);
    int where[4] = {0};
    for (int i = 0; i < 6; i++)
        if (order[i] <= 3)
            where[order[i]] = i;
    CHECK(where[3] < where[2] && where[2] < where[1]);
    collect();
    ty_heap_run_pending();
    CHECK(finalized == 6);
    CHECK(((Node *)ty_object(((Node *)ty_object(resurrected))->first))->number == 4);
    resurrected = TY_NULL;
    collect();
    ty_heap_run_pending();
    CHECK(finalized == 6);
    finalized = 0;
    root = ty_from_object(node(&final_type, TY_NULL, 8));
    ty_heap_finalize_all(interpreter, false);
    CHECK(finalized == 1);
    root = TY_NULL;
}

static void test_pins(void)
{
    Value v = ty_from_object(node(&node_type, TY_NULL, 12));
    uintptr_t hidden = ~(uintptr_t)v;
    ty_pin(v);
    v = TY_NULL;
    collect();
    CHECK(((Node *)~hidden)->number == 12);
    ty_unpin((Value)~hidden);
}

static void count_value(Value v, void *context)
{
    (void)v;
    ++*(int *)context;
}
static bool count_object(TyObject *o, void *context)
{
    CHECK(ty_object_type(o));
    ++*(int *)context;
    return true;
}

static void test_questions(void)
{
    Node *n = node(&node_type, chain(10), 0);
    int count = 0;
    ty_heap_referents(&n->base, count_value, &count);
    CHECK(count == 2);
    count = 0;
    ty_heap_each(count_object, &count);
    CHECK(count >= 11);
    CHECK(!ty_heap_object_at(&count) && !ty_heap_object_at(&node_type));
    CHECK(ty_heap_interpreter_of(&n->base) == interpreter && ty_heap_interpreter_bytes(interpreter) > 0);
}

static void test_limit(void)
{
    TyHeapStatistics before = ty_heap_statistics();
    ty_heap_interpreter_set_limit(interpreter, 2 << 20);
    int64_t count = 0;
    for (;; count++) {
        Node *n = ty_allocate(TYPE(node_type), sizeof(Node));
        if (!n)
            break;
        n->first = root;
        root = ty_from_object(n);
    }
    CHECK(memory_errors == 1 && count > (1 << 20) / 48 && count < (4 << 20) / 48);
    CHECK(!ty_allocate(TYPE(array_type), 4 << 20) && memory_errors == 2);
    memory_errors = 0;
    root = TY_NULL;
    ty_heap_interpreter_set_limit(interpreter, 0);
    CHECK(ty_heap_statistics().collections > before.collections);
}

/* Threads that come and go take up the memory that others left. */
static void *come_and_go(void *argument)
{
    CHECK(ty_thread_attach(interpreter));
    for (size_t size = 32; size < 8000; size *= 2)
        CHECK(ty_allocate(TYPE(node_type), size));
    ty_thread_detach();
    return NULL;
}
static void test_many_threads(void)
{
    size_t before = ty_heap_statistics().committed_bytes;
    ty_blocking_begin();
    for (int i = 0; i < 500; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, come_and_go, NULL) == 0);
        pthread_join(thread, NULL);
    }
    ty_blocking_end();
    CHECK(ty_heap_statistics().committed_bytes <= before + (4 << 20));
}

/* --- threads ------------------------------------------------------------------------------------------------------------ */

#define THREADS 4
static Array *shared;
static _Atomic int shared_count;

static void *work(void *argument)
{
    int number = (int)(uintptr_t)argument;
    CHECK(ty_thread_attach(number % 2 ? interpreter : (TyInterpreter *)32));
    for (int round = 0; round < 20; round++) {
        Value mine = chain(5000);
        Weak *weak = weak_to(mine, true);
        for (int i = 0; i < 2000; i++) {
            Value v = ty_from_object(node(&node_type, TY_NULL, i));
            bool locked = ty_object_lock(&shared->base);
            Node *previous = (Node *)ty_object(shared->items[number % 2]);
            ty_store(ty_object(v), &((Node *)ty_object(v))->first, ty_from_object(previous));
            ((Node *)ty_object(v))->number = i % 100 ? previous->number + 1 : 1;
            if (i % 100 == 0)
                ty_store(ty_object(v), &((Node *)ty_object(v))->first, TY_NULL);
            ty_store_publish(shared, &shared->items[number % 2], v);
            ty_object_unlock(&shared->base, locked);
            shared_count++;
            if (i % 64 == 0)
                ty_safepoint();
        }
        if (round % 7 == number)
            ty_heap_collect();
        if (round % 5 == 0) {
            ty_blocking_begin();
            usleep(200);
            ty_blocking_end();
        }
        ty_heap_run_pending();
        check_chain(mine, 5000);
        CHECK(ty_weak_get(&weak->link) == mine);
    }
    ty_thread_detach();
    return NULL;
}

static void test_threads(void)
{
    shared = ty_allocate(TYPE(array_type), sizeof(Array) + 2 * sizeof(Value));
    root = ty_from_object(shared);
    shared->count = 2;
    for (int i = 0; i < 2; i++)
        ty_store(shared, &shared->items[i], ty_from_object(node(&node_type, TY_NULL, 1)));
    pthread_t threads[THREADS];
    ty_many_threads_begin();
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i);
    for (int i = 0; i < 20; i++) {
        check_chain(chain(1000), 1000);
        ty_heap_collect();
    }
    ty_blocking_begin();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ty_blocking_end();
    CHECK(shared_count == THREADS * 20 * 2000);
    for (int i = 0; i < 2; i++) {
        Node *n = (Node *)ty_object(shared->items[i]);
        int64_t length = n->number;
        for (; n->first; n = (Node *)ty_object(n->first))
            CHECK(n->number == length--);
        CHECK(length == 1);
    }
    root = TY_NULL;
}

static void test_parallel_marking(void)
{
    Array *array = ty_allocate(TYPE(array_type), sizeof(Array) + 2000 * sizeof(Value));
    root = ty_from_object(array);
    array->count = 2000;
    for (int i = 0; i < 2000; i++)
        ty_store(array, &array->items[i], chain(500));
    for (int round = 0; round < 5; round++)
        ty_heap_collect();
    for (int i = 0; i < 2000; i++)
        check_chain(array->items[i], 500);
    root = TY_NULL;
}

/* --- processes ------------------------------------------------------------------------------------------------------------ */

static TY_UNUSED void test_fork(void)
{
    Value list = chain(1000);
    ty_heap_fork_prepare();
    pid_t child = fork();
    if (child == 0) {
        ty_heap_fork_child();
        Value more = chain(100000);
        ty_heap_collect();
        check_chain(list, 1000);
        check_chain(more, 100000);
        _exit(0);
    }
    ty_heap_fork_parent();
    int status;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_chain(list, 1000);
}

static TY_UNUSED int in_child(void (*body)(void))
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        body();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static TY_UNUSED void exhaust(void)
{
    struct rlimit limit = {200 << 20, 200 << 20};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(ty_heap_start(0) && ty_thread_attach(interpreter));
    ty_root_add(&root, 1);
    for (int round = 0; round < 3; round++) {
        int64_t count = 0;
        root = TY_NULL;
        for (;;) {
            Node *n = ty_allocate(TYPE(node_type), sizeof(Node));
            if (!n)
                break;
            n->number = count++;
            n->first = root;
            root = ty_from_object(n);
        }
        CHECK(memory_errors == 2 * round + 1 && count > 1000000);
        root = TY_NULL;
        scrub();
        size_t size = 1000;
        for (;; size += size / 8) { /* a list that grows */
            Array *array = ty_allocate(TYPE(array_type), size);
            if (!array)
                break;
            root = ty_from_object(array);
        }
        CHECK(memory_errors == 2 * round + 2 && size > (20 << 20));
        CHECK(!ty_allocate(TYPE(array_type), (size_t)1 << 60) && memory_errors-- > 0);
    }
}

static TY_UNUSED void stress(void)
{
    CHECK(ty_heap_start(3) && ty_thread_attach(interpreter));
    ty_root_add(&root, 1);
    ty_root_add(&resurrected, 1);
    for (int i = 0; i < 20; i++)
        check_chain(chain(40), 40);
    test_weak();
    make_final();
    collect();
    ty_heap_run_pending();
}

int main(void)
{
#ifndef __SANITIZE_THREAD__
    CHECK(in_child(stress) == 0);
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(in_child(exhaust) == 0);
#endif
    CHECK(ty_heap_start(0) && ty_thread_attach(interpreter));
    ty_root_add(&root, 1);
    ty_root_add(&resurrected, 1);
    test_limit();
    test_classes();
    test_deep(1000000);
    test_deep(10000);
    test_large();
    test_destroy();
    test_weak();
    test_finalizers();
    test_pins();
    test_questions();
#ifndef __SANITIZE_THREAD__
    test_fork();
#endif
    test_threads();
    test_many_threads();
    test_parallel_marking();
    CHECK(memory_errors == 0);
    puts("heap: ok");
    return 0;
}
