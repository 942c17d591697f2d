/* _ctypes_test: C functions for the tests of ctypes to call. As a module it only says in which file they are. */
#include <complex.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#undef I /* of complex.h: the name of a function here */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "object/int.h"
#include "object/native.h"
#include "object/str.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static long long last_signed;
static unsigned long long last_unsigned;

/* Each takes a number, notes it, and gives a third of it; the second of a pair has a byte before it. */
#define THIRD(letter, type, last, wide)                                \
    type tf_##letter(type c) { return last = (wide)c, c / 3; }         \
    type tf_b##letter(signed char x, type c) { return last = (wide)c, c / 3; }
#define SIGNED(letter, type) THIRD(letter, type, last_signed, long long)
#define UNSIGNED(letter, type) THIRD(letter, type, last_unsigned, unsigned long long)
SIGNED(b, signed char)
UNSIGNED(B, unsigned char)
SIGNED(h, short)
UNSIGNED(H, unsigned short)
SIGNED(i, int)
UNSIGNED(I, unsigned int)
SIGNED(l, long)
UNSIGNED(L, unsigned long)
SIGNED(q, long long)
UNSIGNED(Q, unsigned long long)
SIGNED(f, float)
SIGNED(d, double)
SIGNED(D, long double)
void tv_i(int c) { last_signed = c; }

double my_sqrt(double x) { return sqrt(x); }
double complex my_csqrt(double complex x) { return csqrt(x); }
float complex my_csqrtf(float complex x) { return csqrtf(x); }
long double complex my_csqrtl(long double complex x) { return csqrtl(x); }
void my_qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) { qsort(base, count, size, compare); }
char *my_strchr(const char *text, int c) { return strchr(text, c); }
char *my_strtok(char *text, const char *delimiters) { return strtok(text, delimiters); }
char *my_strdup(const char *text) { return strdup(text); }
wchar_t *my_wcsdup(const wchar_t *text) { return wcsdup(text); }
size_t my_wcslen(const wchar_t *text) { return wcslen(text); }
void my_free(void *p) { free(p); }
char *(*get_strchr(void))(const char *, int) { return my_strchr; }

int _testfunc_i_bhilfd(signed char b, short h, int i, long l, float f, double d) { return (int)(b + h + i + l + f + d); }
float _testfunc_f_bhilfd(signed char b, short h, int i, long l, float f, double d) { return (float)(b + h + i + l + f + d); }
double _testfunc_d_bhilfd(signed char b, short h, int i, long l, float f, double d) { return b + h + i + l + f + d; }
long double _testfunc_D_bhilfD(signed char b, short h, int i, long l, float f, long double d) { return b + h + i + l + f + d; }
long long _testfunc_q_bhilfd(signed char b, short h, int i, long l, float f, double d) { return (long long)(b + h + i + l + f + d); }
long long _testfunc_q_bhilfdq(signed char b, short h, int i, long l, float f, double d, long long q) { return (long long)(b + h + i + l + f + d + (double)q); }
void *_testfunc_p_p(void *p) { return p; }
char *_testfunc_c_p_p(int *count, char **texts) { return texts[*count - 1]; }
int *_testfunc_ai8(int numbers[8]) { return numbers; }
void _testfunc_v(int a, int b, int *sum) { *sum = a + b; }

typedef struct { int x, y; } Point;
int _testfunc_byval(Point in, Point *out)
{
    if (out)
        *out = in;
    return in.x + in.y;
}

int an_integer = 42;
int get_an_integer(void) { return an_integer; }

int _testfunc_callback_i_if(int value, int (*call)(int))
{
    int sum = 0;
    for (; value; value /= 2)
        sum += call(value);
    return sum;
}
long long _testfunc_callback_q_qf(long long value, long long (*call)(long long))
{
    long long sum = 0;
    for (; value; value /= 2)
        sum += call(value);
    return sum;
}
int _testfunc_callback_with_pointer(int (*call)(int *))
{
    int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    return call(numbers);
}
int _test_i38748_runCallback(int (*call)(int, int), int a, int b) { return call(a, b); }
double integrate(double from, double to, double (*call)(double), long steps)
{
    double width = (to - from) / (double)steps, sum = 0;
    for (double x = from + 0.5 * width; (to - x) * (x - from) > 0; x += width)
        sum += call(x);
    return sum / (double)steps;
}
int _testfunc_cbk_reg_int(int a, int b, int c, int d, int e, int (*call)(int, int, int, int, int)) { return call(a * a, b * b, c * c, d * d, e * e); }
double _testfunc_cbk_reg_double(double a, double b, double c, double d, double e, double (*call)(double, double, double, double, double))
{
    return call(a * a, b * b, c * c, d * d, e * e);
}

long long _testfunc_callback_int_to_longlong(int (*call)(void)) { return call(); }
typedef struct { unsigned long first, second, third; } Large;
void _testfunc_cbk_large_struct(Large in, void (*call)(Large)) { call(in); }
void _testfunc_large_struct_update_value(Large in) { ((volatile Large *)&in)->first = ((volatile Large *)&in)->second = ((volatile Large *)&in)->third = 0x0badf00d; }
typedef struct { unsigned int first, second; } Small;
static Small last_small;
void _testfunc_reg_struct_update_value(Small in)
{
    last_small = in;
    ((volatile Small *)&in)->first = ((volatile Small *)&in)->second = 0x0badf00d;
}
Small get_last_tfrsuv_arg(void) { return last_small; }

typedef struct { long left, top, right, bottom; } Rectangle;
typedef struct { long x, y; } Place;
long left = 10, top = 20, right = 30, bottom = 40;
int PointInRect(Rectangle *r, Place p) { return p.x >= r->left && p.x <= r->right && p.y >= r->top && p.y <= r->bottom; }
Rectangle ReturnRect(int which, Rectangle a, Rectangle *b, Place c, Rectangle d, Rectangle *e, Place f, Rectangle g)
{
    switch (which) {
    case 0: return a;
    case 1: return d;
    default: return g;
    }
}
int myprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vprintf(format, arguments);
    va_end(arguments);
    return count;
}

typedef struct { short x, y; } Shorts;
Shorts ret_2h_func(Shorts in) { return (Shorts){(short)(in.x * 2), (short)(in.y * 3)}; }
Shorts s_ret_2h_func(Shorts in) { return ret_2h_func(in); }
typedef struct { int a, b, c, d, e, f, g, h; } Ints;
Ints ret_8i_func(Ints in) { return (Ints){in.a * 2, in.b * 3, in.c * 4, in.d * 5, in.e * 6, in.f * 7, in.g * 8, in.h * 9}; }
Ints s_ret_8i_func(Ints in) { return ret_8i_func(in); }

typedef struct { unsigned char data[16]; } Bytes;
int _testfunc_array_in_struct2(Bytes in)
{
    int sum = 0;
    for (int i = 0; i < 16; i++)
        sum += in.data[i];
    memset(&in, 0, sizeof in);
    return sum;
}
typedef struct { float data[2], more_data[2]; } Floats;
double _testfunc_array_in_struct3A(Floats in) { return (double)in.data[0] + in.data[1] + in.more_data[0] + in.more_data[1]; }
#define DOUBLES(letter, count)                                        \
    typedef struct { double data[count]; } Doubles##letter;           \
    double _testfunc_array_in_struct3##letter(Doubles##letter in)     \
    {                                                                 \
        double sum = 0;                                               \
        for (int i = 0; i < count; i++)                               \
            sum += in.data[i];                                        \
        return sum;                                                   \
    }                                                                 \
    Doubles##letter _testfunc_array_in_struct3##letter##_set_defaults(void) \
    {                                                                 \
        Doubles##letter out;                                          \
        for (int i = 0; i < count; i++)                               \
            out.data[i] = i + 1;                                      \
        return out;                                                   \
    }
DOUBLES(B, 2)
DOUBLES(C, 4)
DOUBLES(D, 8)
DOUBLES(E, 9)

#define BITS(attribute, name)                                                                                                                  \
    typedef struct attribute {                                                                                                                  \
        signed int A : 1, B : 2, C : 3, D : 4, E : 5, F : 6, G : 7, H : 8, I : 9;                                                               \
        signed short M : 1, N : 2, O : 3, P : 4, Q : 5, R : 6, S : 7;                                                                           \
    } name
BITS(, Bits);
BITS(__attribute__((ms_struct)), MsBits);
#define UNPACK(function, type)                                                                                                                  \
    int function(type *bits, char name)                                                                                                        \
    {                                                                                                                                          \
        switch (name) {                                                                                                                        \
        case 'A': return bits->A;                                                                                                              \
        case 'B': return bits->B;                                                                                                              \
        case 'C': return bits->C;                                                                                                              \
        case 'D': return bits->D;                                                                                                              \
        case 'E': return bits->E;                                                                                                              \
        case 'F': return bits->F;                                                                                                              \
        case 'G': return bits->G;                                                                                                              \
        case 'H': return bits->H;                                                                                                              \
        case 'I': return bits->I;                                                                                                              \
        case 'M': return bits->M;                                                                                                              \
        case 'N': return bits->N;                                                                                                              \
        case 'O': return bits->O;                                                                                                              \
        case 'P': return bits->P;                                                                                                              \
        case 'Q': return bits->Q;                                                                                                              \
        case 'R': return bits->R;                                                                                                              \
        case 'S': return bits->S;                                                                                                              \
        default: return 999;                                                                                                                   \
        }                                                                                                                                      \
    }
UNPACK(unpack_bitfields, Bits)
UNPACK(unpack_bitfields_msvc, MsBits)

static Value get_last_signed(Value module, Value *a) { return ty_int_from_int64(last_signed); }
static Value get_last_unsigned(Value module, Value *a) { return ty_int_from_uint64(last_unsigned); }

static const TyNativeDef functions[] = {
    TY_FUNCTION("get_last_tf_arg_s(module, /)", get_last_signed, "The last signed number that a function got."),
    TY_FUNCTION("get_last_tf_arg_u(module, /)", get_last_unsigned, "The last unsigned number that a function got."),
    {0},
};

extern const TyModuleDef ty_module__ctypes_test;

static bool execute(Value module)
{
    Dl_info info;
    return dladdr(&ty_module__ctypes_test, &info) && ty_module_add(module, "__file__", ty_str_decode_fs(info.dli_fname, strlen(info.dli_fname)));
}

const TyModuleDef ty_module__ctypes_test = {
    .name = "_ctypes_test",
    .doc = "C functions for the tests of ctypes.",
    .functions = functions,
    .execute = execute,
};
