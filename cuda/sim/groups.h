// Work of one thread that was begun, is closed into groups and finished group by group, oldest first: cp.async and
// wgmma.
#pragma once

namespace ph::sim {

// A ring, as code that runs in fibers allocates nothing.
template <class Work, unsigned most_works, unsigned most_groups>
class Groups {
 public:
  void clear() { *this = {}; }
  bool is_full() const { return begun_ - finished_ == most_works; }
  bool has_most_groups() const { return committed_ - waited_ == most_groups; }
  void begin(const Work& work) { works_[begun_++ % most_works] = work; }
  void commit() { end_[committed_++ % most_groups] = begun_; }
  unsigned committed() const { return committed_; }
  unsigned waited() const { return waited_; }

  // Calls finish_work(work) for the works of all groups but the last `pending`, and finish_group(number) after each.
  template <class FinishWork, class FinishGroup>
  void wait(unsigned pending, FinishWork finish_work, FinishGroup finish_group) {
    while (committed_ - waited_ > pending) {
      const unsigned group = waited_++;
      while (finished_ != end_[group % most_groups]) finish_work(works_[finished_++ % most_works]);
      finish_group(group);
    }
  }

 private:
  Work works_[most_works];
  unsigned end_[most_groups];
  unsigned begun_ = 0, finished_ = 0, committed_ = 0, waited_ = 0;
};

}  // namespace ph::sim
