/* _zstd: compression in the format of Zstandard; the rest of compression.zstd is Python. */
#include <zstd.h>

#include "object/buffer.h"
#include "object/exception.h"
#include "object/int.h"
#include "object/native.h"

static Value zstd_get_frame_size(Value module, Value *a)
{
    TyBuffer view;
    if (!ty_buffer_get(a[0], &view, TY_BUFFER_SIMPLE))
        return TY_NULL;
    size_t size = ZSTD_findFrameCompressedSize(view.data, (size_t)view.length);
    ty_buffer_release(&view);
    return ty_int_from_int64((int64_t)size);
}

static const TyNativeDef functions[] = {
    TY_FUNCTION("get_frame_size(frame_buffer)", zstd_get_frame_size, "The size of the frame that the data begins with."),
    {0},
};

const TyModuleDef ty_module__zstd = {
    .name = "_zstd",
    .doc = "Compression in the format of Zstandard.",
    .functions = functions,
};
