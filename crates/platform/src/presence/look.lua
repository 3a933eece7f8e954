
local answer = {}
for i, user in ipairs(ARGV) do
  local state, _, _, seen = judge(user)
  answer[i] = {user, state, seen}
end
return answer
